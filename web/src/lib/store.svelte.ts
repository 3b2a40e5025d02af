/** The one state of the page: what is asked, what is shown, what the wire last said. */
import { keepSettings, type Locked, readPlace, readSettings, type Settings, type Shade, type ViewName, writePlace } from './address';
import type { Cursor } from './chart/cursor';
import type { View } from './chart/heatchart';
import type { Applied, Counts, HeatGrid } from './grid/grid';
import { dollarsOf, lockOf } from './money/locks';
import { money } from './money/money.svelte';
import { autoWindow, groundWindow, type HeatWindow, reliefWindow } from './grid/scale';
import { Session } from './session';
import { heardOf, missing } from './lamps';
import { Look } from './look/look.svelte';
import { wear } from './look/tone';
import { Opening } from './starting/opening.svelte';
import { modelParts } from './trust/words';
import { readCoins } from './wire/decode';
import { Link } from './wire/link.svelte';
import { type Filters, granted, type Model, STATIC_SPANS } from './wire/query';
import { askSides } from './wire/side';
import type { Bars, ByVenue, Cumulative, Fit, Levels, MapSnapshot, Source, Trust, Venue } from './wire/types';

const STALE_AFTER = 10;
const POLL_EVERY = 4_000;
/** Seconds after which a question without an answer is called one. */
const SLOW = 5;
const REMEMBER_AFTER = 400;
/** Milliseconds between two looks at what is served: while it is made ready, and afterwards. */
const LOOK_EVERY = { busy: 800, ready: 5_000 };
/** Bytes of the scale by which a fitted window must differ before it is changed under the eye. */
const STEADY = 3;

const moves = (now: HeatWindow, next: HeatWindow): boolean =>
  Math.max(Math.abs(next.lo - now.lo), Math.abs(next.hi - now.hi)) >= STEADY;

export interface Extent {
  from: number;
  to: number;
}

export class Store {
  coins = $state<string[]>([]);
  filters = $state<Filters>({ coin: 'BTC', span: '3d', venues: null, tiers: null, side: 'both', model: 'calibrated' });
  view = $state<ViewName>('heatmap');
  settings = $state<Settings>(readSettings());
  heat = $state(true);
  readonly look = new Look(() => {
    this.remember();
    void this.poll();
  });
  narrow = $state(false);

  map = $state.raw<MapSnapshot | null>(null);
  grid = $state.raw<HeatGrid | null>(null);
  levels = $state.raw<Levels | null>(null);
  bars = $state.raw<Bars | null>(null);
  cumulative = $state.raw<Cumulative | null>(null);
  byVenue = $state.raw<ByVenue | null>(null);
  venues = $state.raw<Venue[]>([]);
  source = $state<Source | null>(null);
  /** Why the source is what it is, and, until everything is ready, what is being done. */
  note = $state('');
  ready = $state(true);
  progress = $state('');
  trust = $state.raw<Trust | null>(null);
  /** The newest fit that came while this page was open. */
  learned = $state.raw<Fit | null>(null);
  price = $state(NaN);

  /** What a server that has just begun is doing, asked until it is ready. */
  readonly opening = new Opening({
    onMore: (coin) => {
      if (coin === this.filters.coin) this.#refresh();
    },
    onReady: () => void this.#look().catch(() => undefined),
  });

  readonly link = new Link();
  trouble = $state<string | null>(null);
  /** Wall clock, ms, moved four times a second; and when the stream was last heard. */
  clock = $state(Date.now());
  heard = $state(0);

  locked = $state<Locked | null>(null);
  shade = $state<Shade>('relief');
  window = $state.raw<HeatWindow>({ lo: 130, hi: 225 });
  /** The same of the ground, where that is drawn. */
  ground = $state.raw<HeatWindow>({ lo: 100, hi: 160 });
  extent = $state.raw<Extent>({ from: 90, to: 240 });
  histogram = $state.raw<Uint32Array | null>(null);
  cursor = $state.raw<Cursor | null>(null);
  chartView = $state.raw<View>({ following: true, behind: 0, columnsPerCandle: 1 });

  /** Whether the controls of playback are open. */
  scrubbing = $state(false);
  sheet = $state<'coin' | 'filters' | 'settings' | 'help' | 'health' | 'trust' | 'share' | 'opening' | null>(null);

  /** Seconds since the newest datum of any market that is on. */
  readonly age = $derived.by(() => {
    if (!this.heard) return Infinity;
    const since = Math.max(0, (this.clock - this.heard) / 1000);
    const newest = Math.min(...this.venues.filter((v) => v.on && heardOf(v)).map((v) => v.age));
    return since + (Number.isFinite(newest) ? newest : 0);
  });
  /** Why the map is not there yet, from the first moment on. */
  readonly waiting = $derived.by(() => {
    const seconds = Math.floor((this.clock - this.#begun) / 1_000);
    return this.opening.now?.doing || this.progress || `Fetching the map${seconds < SLOW ? '' : `: no answer for ${seconds} s yet`}`;
  });
  readonly modelLine = $derived.by(() => {
    const words = this.trust?.model || '–';
    return this.filters.model === 'difference' ? `${words}, against static` : words;
  });
  readonly modelParts = $derived(modelParts(this.modelLine));
  /** A replay stands still on purpose, and so does a past before its market joins: only what should be moving can be stale. */
  readonly past = $derived(Boolean(this.filters.at));
  readonly stale = $derived(this.ready && !this.past && (this.map?.source ?? 'replay') !== 'replay' && this.age > STALE_AFTER);
  readonly offline = $derived(this.map !== null && this.link.lost);
  readonly zone = $derived(this.settings.zone === 'utc' ? 0 : -new Date().getTimezoneOffset() * 60);

  /** The chart, when it is on the page: columns go to it directly, not through the framework. */
  onColumn: (how: Applied) => void = () => undefined;
  sampleHistogram: (relief: boolean) => Counts | null = () => null;
  /** The lock of the scale that is not shown. */
  #otherLock: Locked | null = null;
  readonly #begun = Date.now();
  #keepView = true;
  #session: Session | null = null;
  #timers: number[] = [];
  #remembering = 0;

  start(): void {
    const place = readPlace(location.search);
    Object.assign(this.filters, place.filters);
    this.view = place.view;
    this.locked = place.locked;
    this.shade = place.shade ?? this.settings.shade;
    void this.#convert(place.ccy ?? this.settings.currency);
    this.look.take(place.look);
    const narrow = matchMedia('(max-width: 820px)');
    this.narrow = narrow.matches;
    narrow.addEventListener('change', (event) => (this.narrow = event.matches));
    this.#timers.push(window.setInterval(() => (this.clock = Date.now()), 250));
    this.scrubbing = this.past;
    // The past does not change by itself.
    this.#timers.push(window.setInterval(() => void (this.past || this.poll()), POLL_EVERY));
    void this.#begin(place.filters.coin);
  }

  /** The map is asked for before it is known what is served: most often it is this. */
  async #begin(asked: string | undefined): Promise<void> {
    if (!this.#session) this.open(false);
    try {
      await this.#look();
      const known = this.coins.includes(asked ?? this.filters.coin) ? this.filters.coin : this.coins[0];
      if (known && known !== this.filters.coin) this.setFilters({ coin: known });
    } catch (why) {
      this.trouble = `no answer from the server: ${why instanceof Error ? why.message : String(why)}`;
      this.#timers.push(window.setTimeout(() => void this.#begin(asked), 2_000));
      return;
    }
    this.#lookAgain();
  }

  /** Learn what is served, why, and whether it is ready. */
  async #look(): Promise<void> {
    const answer = await granted(await fetch('/v1/coins'));
    const { coins, source, note, ready, progress } = readCoins(await answer.json());
    const waited = !this.ready && ready;
    Object.assign(this, { coins, source, note, ready, progress });
    if (ready) this.opening.stop();
    else this.opening.start();
    // What was fetched while the history came in lacks what came after it.
    if (waited) this.#refresh();
  }

  /** More is known of what is shown: the map is fetched again, over the same link. */
  #refresh(): void {
    this.#session?.refresh();
    void this.poll();
  }

  /** Ask a silent server at once. */
  askNow(): void {
    this.#session?.askNow();
    void this.#look().catch(() => undefined);
  }

  #lookAgain(): void {
    const look = async (): Promise<void> => {
      // That a server does not answer the link says, which tries again by itself.
      if (document.visibilityState === 'visible') await this.#look().catch(() => undefined);
      this.#lookAgain();
    };
    window.setTimeout(() => void look(), this.ready ? LOOK_EVERY.ready : LOOK_EVERY.busy);
  }

  /** Ask for what the filters say. `keep` is true when only venues, tiers or side changed. */
  open(keep: boolean): void {
    this.#session?.close();
    this.#keepView = keep;
    this.link.lost = false;
    if (!keep) this.cursor = this.learned = null;
    // A price of another coin means nothing here.
    if (this.map && this.map.coin !== this.filters.coin) this.look.clear();
    const session = new Session({ ...this.filters }, keep, {
      onMap: (map, grid, same, again) => this.#adopt(map, grid, same, again),
      onColumn: (column, how) => {
        this.heard = Date.now();
        if (column.k[3] > 0) this.price = column.k[3];
        if (how === 'appended') this.#miss();
        this.onColumn(how);
      },
      onLevels: (levels) => {
        this.heard = Date.now();
        this.levels = levels;
      },
      onStatus: (status) => {
        this.heard = Date.now();
        this.venues = status.venues;
        this.source = status.source;
        this.note = status.note;
        this.#learn(status);
      },
      onLink: (state, wait) => this.link.take(state, wait),
      onTrouble: (words) => (this.trouble = words),
      onStep: () => {
        // Browsers limit how often the address may change.
        clearTimeout(this.#remembering);
        this.#remembering = window.setTimeout(() => this.remember(), REMEMBER_AFTER);
        return this.poll();
      },
    });
    this.#session = session;
    session.start();
    this.remember();
    this.bars = this.cumulative = this.byVenue = null;
    void this.poll();
  }

  /** Look at a moment of the past, µs; null is now, or the end of a replay. */
  seek(at: number | null): void {
    const before = this.filters.at ?? null;
    this.filters.at = at;
    if (at === null || before === null || !this.#session) this.open(true);
    else this.#session.seek(at);
  }

  get dropped(): number { return this.#session?.dropped ?? 0; }

  keepsView(): boolean {
    return this.#keepView;
  }

  #adopt(map: MapSnapshot, grid: HeatGrid, same: boolean, again: boolean): void {
    this.#keepView = same;
    this.heard = Date.now();
    this.venues = map.venues;
    this.source = map.source;
    this.note = map.note;
    if (again) this.#learn(map);
    else this.trust = map;
    this.price = map.price;
    if (!same) this.levels = null;
    const fresh = !this.map;
    this.map = map;
    money.at = map.asOf;
    this.grid = grid;
    this.remember();
    if (fresh) void this.poll();
  }

  /** A column that begins while a chosen venue is down lacks it, whatever else it holds. */
  #miss(): void {
    const gone = missing(this.venues).filter((v) => v.state === 'down');
    if (gone.length) this.grid?.miss(gone.map((v) => v.name));
  }

  /** Keep what is said of the model; weights that were learned anew are said, by the stream or by the same map fetched again. */
  #learn(trust: Trust): void {
    const before = this.trust?.fit;
    if (before && trust.fit?.at && trust.fit.at > (before.at ?? 0)) this.learned = trust.fit;
    this.trust = trust;
  }

  setFilters(change: Partial<Filters>): void {
    if (change.span && !STATIC_SPANS.includes(change.span) && this.filters.model === 'difference') change.model = 'calibrated';
    Object.assign(this.filters, change);
    this.open(!('coin' in change || 'span' in change));
  }

  setView(view: ViewName): void {
    this.view = view;
    // The difference is a heatmap and nothing else.
    if (view !== 'heatmap' && this.filters.model === 'difference') this.setFilters({ model: 'calibrated' });
    this.remember();
    void this.poll();
  }

  /** The next model that can be shown here. */
  nextModel(): void {
    const all: Model[] = ['calibrated', 'static', 'difference'];
    const open = all.filter((m) => m !== 'difference' || (this.view === 'heatmap' && STATIC_SPANS.includes(this.filters.span)));
    this.setFilters({ model: open[(open.indexOf(this.filters.model) + 1) % open.length] });
  }

  setSettings(change: Partial<Settings>): void {
    Object.assign(this.settings, change);
    if (change.currency) void this.#convert(change.currency);
    if (change.theme) wear(change.theme);
    keepSettings($state.snapshot(this.settings));
  }

  /** Show amounts in a currency. A locked scale keeps its cells, and tells them in the new one. */
  async #convert(ccy: string): Promise<void> {
    const ends = [this.locked, this.#otherLock].map(dollarsOf);
    if (!(await money.use(ccy))) return;
    const [shown, other] = ends.map(lockOf);
    this.locked = shown ?? this.locked;
    this.#otherLock = other ?? this.#otherLock;
    this.refit(true);
    this.remember();
  }

  /** One step along the spans the server offers. */
  stepSpan(by: number): void {
    const spans = this.map?.spans ?? [];
    const at = spans.indexOf(this.filters.span);
    const next = spans[at + by];
    if (at >= 0 && next) this.setFilters({ span: next });
  }

  /** Relief or money; each keeps its own lock. */
  setShade(shade: Shade): void {
    if (shade === this.shade) return;
    this.shade = shade;
    [this.locked, this.#otherLock] = [this.#otherLock, this.locked];
    this.setSettings({ shade });
    this.refit(true);
    this.remember();
  }

  /** Lock the colour scale at byte positions. */
  lock(window: HeatWindow): void {
    const scale = this.grid?.scale;
    if (!scale) return;
    this.window = window;
    this.locked = lockOf([scale.at(window.lo), scale.at(window.hi)]);
    this.remember();
  }

  unlock(): void {
    this.locked = null;
    this.refit(true);
    this.remember();
  }

  /** Fit the colour scale to what is in sight, unless the user locked it. */
  refit(atOnce = false): void {
    const grid = this.grid;
    const counts = grid && !grid.difference ? this.sampleHistogram(this.shade === 'relief') : null;
    if (!grid || !counts) return;
    this.histogram = counts.cells;
    this.#fitGround(counts.ground, grid, atOnce);
    // A lock in a currency whose rates are still on their way waits for them.
    const locked = dollarsOf(this.locked);
    if (locked) {
      const [lo, hi] = locked.map((usd) => grid.scale.position(usd));
      this.window = { lo, hi };
    } else {
      const { cells, ground } = counts;
      const fitted = ground ? reliefWindow({ cells, ground }, grid.scale) : autoWindow(cells, grid.scale);
      if (fitted && (atOnce || moves(this.window, fitted))) this.window = fitted;
    }
    const next = { from: Math.max(1, this.window.lo - 30), to: Math.min(255, this.window.hi + 14) };
    const moved = Math.max(Math.abs(next.from - this.extent.from), Math.abs(next.to - this.extent.to));
    if (atOnce || moved > 8) this.extent = next;
  }

  #fitGround(counts: Uint32Array | null, grid: HeatGrid, atOnce: boolean): void {
    const fitted = counts && groundWindow(counts, grid.scale);
    if (fitted && (atOnce || moves(this.ground, fitted))) this.ground = fitted;
  }

  /** Ask for the views beside the map that are in sight. */
  async poll(): Promise<void> {
    if (document.visibilityState === 'hidden' || !this.map) return;
    const { coin, span } = this.filters;
    try {
      const sides = await askSides(this.view, !this.narrow, { ...this.filters }, this.look);
      if (this.filters.coin === coin && this.filters.span === span) Object.assign(this, sides);
    } catch (why) {
      this.trouble = why instanceof Error ? why.message : String(why);
    }
  }

  remember(): void {
    history.replaceState(null, '', writePlace(this.filters, this.view, this.locked, this.look.place(), money.asked, this.shade) + location.hash);
  }
}

export const store = new Store();
