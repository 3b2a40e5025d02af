/** The state of the page: filters, settings, and the latest data from the server. */

import type { Cursor } from './chart/cursor';
import type { ChartStatus } from './chart/heatchart';
import { errorMessage } from './errors';
import type { ApplyResult, Counts, HeatGrid } from './grid/grid';
import { autoRange, type ColourRange, groundRange, reliefRange } from './grid/scale';
import { lockFromDollars, lockInDollars } from './money/locks';
import { money } from './money/money.svelte';
import { Session } from './session';
import { StartupState } from './startup/state.svelte';
import { modelParts } from './trust/text';
import {
  readSettings,
  readUrl,
  type ScaleLock,
  type Settings,
  type Shade,
  saveSettings,
  type ViewName,
  writeUrl,
} from './url';
import { hasData, missing } from './venue-status';
import { ViewState } from './view/state.svelte';
import { applyTheme } from './view/theme';
import { Connection } from './wire/connection.svelte';
import { readCoins } from './wire/decode';
import { fetchPanels } from './wire/panels';
import { checkOk, type Filters, type Model, STATIC_SPANS } from './wire/query';
import type {
  Bars,
  ByVenue,
  Cumulative,
  Fit,
  Levels,
  MapSnapshot,
  Source,
  Trust,
  Venue,
} from './wire/types';

/** Seconds without data after which a live map is stale. */
const STALE_AFTER = 10;
const PANELS_POLL_MS = 4_000;
/** Seconds after which a pending first request is reported. */
const SLOW_REQUEST = 5;
const SAVE_URL_AFTER_MS = 400;
/** Poll interval of the server status, ms: during start-up and afterwards. */
const STATUS_POLL_MS = { starting: 800, ready: 5_000 };
/** Smallest change of a fitted colour range that is applied, in bytes of the scale. */
const MIN_REFIT = 3;

const differs = (current: ColourRange, next: ColourRange): boolean =>
  Math.max(Math.abs(next.lo - current.lo), Math.abs(next.hi - current.hi)) >= MIN_REFIT;

export interface LegendRange {
  from: number;
  to: number;
}

export class Store {
  coins = $state<string[]>([]);
  filters = $state<Filters>({
    coin: 'BTC',
    span: '3d',
    venues: null,
    tiers: null,
    side: 'both',
    model: 'calibrated',
  });
  view = $state<ViewName>('heatmap');
  settings = $state<Settings>(readSettings());
  heat = $state(true);
  readonly viewState = new ViewState(() => {
    this.saveUrl();
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
  /** Reason for the data source. */
  note = $state('');
  ready = $state(true);
  progress = $state('');
  trust = $state.raw<Trust | null>(null);
  /** The newest fit since this page was opened. */
  newFit = $state.raw<Fit | null>(null);
  price = $state(NaN);

  /** Start-up progress of the server. */
  readonly startup = new StartupState({
    onProgress: (coin) => {
      if (coin === this.filters.coin) this.#refresh();
    },
    onReady: () => void this.#fetchStatus().catch(() => undefined),
  });

  readonly connection = new Connection();
  error = $state<string | null>(null);
  /** Wall clock, ms, updated four times a second; and the time of the last message. */
  clock = $state(Date.now());
  lastMessageAt = $state(0);

  locked = $state<ScaleLock | null>(null);
  shade = $state<Shade>('relief');
  colourRange = $state.raw<ColourRange>({ lo: 130, hi: 225 });
  /** The colour range of the ground, in relief. */
  groundRange = $state.raw<ColourRange>({ lo: 100, hi: 160 });
  legendRange = $state.raw<LegendRange>({ from: 90, to: 240 });
  histogram = $state.raw<Uint32Array | null>(null);
  cursor = $state.raw<Cursor | null>(null);
  chartStatus = $state.raw<ChartStatus>({ following: true, behind: 0, columnsPerCandle: 1 });

  /** Whether the playback bar is open. */
  playbackOpen = $state(false);
  sheet = $state<
    'coin' | 'filters' | 'settings' | 'help' | 'health' | 'trust' | 'share' | 'startup' | null
  >(null);

  /** Seconds since the newest data of any selected market. */
  readonly age = $derived.by(() => {
    if (!this.lastMessageAt) return Infinity;
    const since = Math.max(0, (this.clock - this.lastMessageAt) / 1000);
    const newest = Math.min(...this.venues.filter((v) => v.on && hasData(v)).map((v) => v.age));
    return since + (Number.isFinite(newest) ? newest : 0);
  });
  /** What the page is waiting for before the first map. */
  readonly waitingFor = $derived.by(() => {
    const seconds = Math.floor((this.clock - this.#startedAt) / 1_000);
    return (
      this.startup.now?.doing ||
      this.progress ||
      `Loading the map${seconds < SLOW_REQUEST ? '' : `: no response for ${seconds} s`}`
    );
  });
  readonly modelLine = $derived.by(() => {
    const model = this.trust?.model || '–';
    return this.filters.model === 'difference' ? `${model} vs static` : model;
  });
  readonly modelParts = $derived(modelParts(this.modelLine));
  /** Whether the page shows playback. Playback, replays and start-up are never stale. */
  readonly past = $derived(Boolean(this.filters.at));
  readonly stale = $derived(
    this.ready &&
      !this.past &&
      (this.map?.source ?? 'replay') !== 'replay' &&
      this.age > STALE_AFTER,
  );
  readonly offline = $derived(this.map !== null && this.connection.lost);
  readonly zone = $derived(this.settings.zone === 'utc' ? 0 : -new Date().getTimezoneOffset() * 60);

  /** Set by the mounted chart: columns bypass Svelte for speed. */
  onColumn: (result: ApplyResult) => void = () => undefined;
  sampleHistogram: (relief: boolean) => Counts | null = () => null;
  /** The lock of the other shade. */
  #otherLock: ScaleLock | null = null;
  readonly #startedAt = Date.now();
  #keepView = true;
  #session: Session | null = null;
  #timers: number[] = [];
  #saveUrlTimer = 0;

  start(): void {
    const url = readUrl(location.search);
    Object.assign(this.filters, url.filters);
    this.view = url.view;
    this.locked = url.locked;
    this.shade = url.shade ?? this.settings.shade;
    void this.#setCurrency(url.ccy ?? this.settings.currency);
    this.viewState.restore(url.viewOptions);
    const narrow = matchMedia('(max-width: 820px)');
    this.narrow = narrow.matches;
    narrow.addEventListener('change', (event) => (this.narrow = event.matches));
    this.#timers.push(window.setInterval(() => (this.clock = Date.now()), 250));
    this.playbackOpen = this.past;
    // Playback does not change by itself.
    this.#timers.push(window.setInterval(() => void (this.past || this.poll()), PANELS_POLL_MS));
    void this.#connect(url.filters.coin);
  }

  /** Request the map before the list of coins is known, as the coin usually exists. */
  async #connect(requested: string | undefined): Promise<void> {
    if (!this.#session) this.open(false);
    try {
      await this.#fetchStatus();
      const known = this.coins.includes(requested ?? this.filters.coin)
        ? this.filters.coin
        : this.coins[0];
      if (known && known !== this.filters.coin) this.setFilters({ coin: known });
    } catch (cause) {
      this.error = `no response from the server: ${errorMessage(cause)}`;
      this.#timers.push(window.setTimeout(() => void this.#connect(requested), 2_000));
      return;
    }
    this.#scheduleStatusPoll();
  }

  /** Fetch coins, data source and readiness. */
  async #fetchStatus(): Promise<void> {
    const answer = await checkOk(await fetch('/v1/coins'));
    const { coins, source, note, ready, progress } = readCoins(await answer.json());
    const becameReady = !this.ready && ready;
    Object.assign(this, { coins, source, note, ready, progress });
    if (ready) this.startup.stop();
    else this.startup.start();
    // A map fetched during start-up lacks the history that came later.
    if (becameReady) this.#refresh();
  }

  /** Refetch the map over the same connection, because the server has more history. */
  #refresh(): void {
    this.#session?.refresh();
    void this.poll();
  }

  /** Retry the server now. */
  retryNow(): void {
    this.#session?.retryNow();
    void this.#fetchStatus().catch(() => undefined);
  }

  #scheduleStatusPoll(): void {
    const poll = async (): Promise<void> => {
      // The connection reports an unreachable server, and reconnects by itself.
      if (document.visibilityState === 'visible') await this.#fetchStatus().catch(() => undefined);
      this.#scheduleStatusPoll();
    };
    window.setTimeout(
      () => void poll(),
      this.ready ? STATUS_POLL_MS.ready : STATUS_POLL_MS.starting,
    );
  }

  /**
   * Open a session for the filters. `keep` keeps the visible range: only venues, tiers or side
   * changed.
   */
  open(keep: boolean): void {
    this.#session?.close();
    this.#keepView = keep;
    this.connection.lost = false;
    if (!keep) this.cursor = this.newFit = null;
    // The cursor price belongs to another coin.
    if (this.map && this.map.coin !== this.filters.coin) this.viewState.clear();
    const session = new Session({ ...this.filters }, keep, {
      onMap: (map, grid, keep, refetch) => this.#applySnapshot(map, grid, keep, refetch),
      onColumn: (column, result) => {
        this.lastMessageAt = Date.now();
        if (column.k[3] > 0) this.price = column.k[3];
        if (result === 'appended') this.#markMissing();
        this.onColumn(result);
      },
      onLevels: (levels) => {
        this.lastMessageAt = Date.now();
        this.levels = levels;
      },
      onStatus: (status) => {
        this.lastMessageAt = Date.now();
        this.venues = status.venues;
        this.source = status.source;
        this.note = status.note;
        this.#updateTrust(status);
      },
      onConnection: (state, wait) => this.connection.update(state, wait),
      onError: (message) => (this.error = message),
      onStep: () => {
        // Browsers limit how often the URL may change.
        clearTimeout(this.#saveUrlTimer);
        this.#saveUrlTimer = window.setTimeout(() => this.saveUrl(), SAVE_URL_AFTER_MS);
        return this.poll();
      },
    });
    this.#session = session;
    session.start();
    this.saveUrl();
    this.bars = this.cumulative = this.byVenue = null;
    void this.poll();
  }

  /** Go to a playback time, µs; null returns to live, or to the end of a replay. */
  seek(at: number | null): void {
    const before = this.filters.at ?? null;
    this.filters.at = at;
    if (at === null || before === null || !this.#session) this.open(true);
    else this.#session.seek(at);
  }

  get dropped(): number {
    return this.#session?.dropped ?? 0;
  }

  keepsView(): boolean {
    return this.#keepView;
  }

  #applySnapshot(map: MapSnapshot, grid: HeatGrid, keep: boolean, refetch: boolean): void {
    this.#keepView = keep;
    this.lastMessageAt = Date.now();
    this.venues = map.venues;
    this.source = map.source;
    this.note = map.note;
    if (refetch) this.#updateTrust(map);
    else this.trust = map;
    this.price = map.price;
    if (!keep) this.levels = null;
    const first = !this.map;
    this.map = map;
    money.at = map.asOf;
    this.grid = grid;
    this.saveUrl();
    if (first) void this.poll();
  }

  /** A column that starts while a selected venue is down is partial. */
  #markMissing(): void {
    const down = missing(this.venues).filter((v) => v.state === 'down');
    if (down.length) this.grid?.markMissing(down.map((v) => v.name));
  }

  /** Update the model metadata; announce a new fit. */
  #updateTrust(trust: Trust): void {
    const before = this.trust?.fit;
    if (before && trust.fit?.at && trust.fit.at > (before.at ?? 0)) this.newFit = trust.fit;
    this.trust = trust;
  }

  setFilters(change: Partial<Filters>): void {
    if (change.span && !STATIC_SPANS.includes(change.span) && this.filters.model === 'difference')
      change.model = 'calibrated';
    Object.assign(this.filters, change);
    this.open(!('coin' in change || 'span' in change));
  }

  setView(view: ViewName): void {
    this.view = view;
    // The difference exists only as a heatmap.
    if (view !== 'heatmap' && this.filters.model === 'difference')
      this.setFilters({ model: 'calibrated' });
    this.saveUrl();
    void this.poll();
  }

  /** Switch to the next model available in this view. */
  nextModel(): void {
    const all: Model[] = ['calibrated', 'static', 'difference'];
    const available = all.filter(
      (m) =>
        m !== 'difference' || (this.view === 'heatmap' && STATIC_SPANS.includes(this.filters.span)),
    );
    this.setFilters({
      model: available[(available.indexOf(this.filters.model) + 1) % available.length],
    });
  }

  setSettings(change: Partial<Settings>): void {
    Object.assign(this.settings, change);
    if (change.currency) void this.#setCurrency(change.currency);
    if (change.theme) applyTheme(change.theme);
    saveSettings($state.snapshot(this.settings));
  }

  /** Change the display currency. Locked scales keep their colours and are converted. */
  async #setCurrency(ccy: string): Promise<void> {
    const ends = [this.locked, this.#otherLock].map(lockInDollars);
    if (!(await money.use(ccy))) return;
    const [shown, other] = ends.map(lockFromDollars);
    this.locked = shown ?? this.locked;
    this.#otherLock = other ?? this.#otherLock;
    this.refit(true);
    this.saveUrl();
  }

  /** Switch to the next shorter or longer span. */
  stepSpan(by: number): void {
    const spans = this.map?.spans ?? [];
    const at = spans.indexOf(this.filters.span);
    const next = spans[at + by];
    if (at >= 0 && next) this.setFilters({ span: next });
  }

  /** Switch between relief and money; each has its own lock. */
  setShade(shade: Shade): void {
    if (shade === this.shade) return;
    this.shade = shade;
    [this.locked, this.#otherLock] = [this.#otherLock, this.locked];
    this.setSettings({ shade });
    this.refit(true);
    this.saveUrl();
  }

  /** Lock the colour scale at a range. */
  lock(range: ColourRange): void {
    const scale = this.grid?.scale;
    if (!scale) return;
    this.colourRange = range;
    this.locked = lockFromDollars([scale.at(range.lo), scale.at(range.hi)]);
    this.saveUrl();
  }

  unlock(): void {
    this.locked = null;
    this.refit(true);
    this.saveUrl();
  }

  /**
   * Fit the colour scale to the visible cells unless it is locked. `force` applies small changes
   * too.
   */
  refit(force = false): void {
    const grid = this.grid;
    const counts = grid && !grid.difference ? this.sampleHistogram(this.shade === 'relief') : null;
    if (!grid || !counts) return;
    this.histogram = counts.cells;
    this.#fitGround(counts.ground, grid, force);
    // Null while the rates of the lock's currency are loading.
    const locked = lockInDollars(this.locked);
    if (locked) {
      const [lo, hi] = locked.map((usd) => grid.scale.position(usd));
      this.colourRange = { lo, hi };
    } else {
      const { cells, ground } = counts;
      const fitted = ground
        ? reliefRange({ cells, ground }, grid.scale)
        : autoRange(cells, grid.scale);
      if (fitted && (force || differs(this.colourRange, fitted))) this.colourRange = fitted;
    }
    const next = {
      from: Math.max(1, this.colourRange.lo - 30),
      to: Math.min(255, this.colourRange.hi + 14),
    };
    const moved = Math.max(
      Math.abs(next.from - this.legendRange.from),
      Math.abs(next.to - this.legendRange.to),
    );
    if (force || moved > 8) this.legendRange = next;
  }

  #fitGround(counts: Uint32Array | null, grid: HeatGrid, force: boolean): void {
    const fitted = counts && groundRange(counts, grid.scale);
    if (fitted && (force || differs(this.groundRange, fitted))) this.groundRange = fitted;
  }

  /** Fetch the data of the visible panels. */
  async poll(): Promise<void> {
    if (document.visibilityState === 'hidden' || !this.map) return;
    const { coin, span } = this.filters;
    try {
      const panels = await fetchPanels(
        this.view,
        !this.narrow,
        { ...this.filters },
        this.viewState,
      );
      if (this.filters.coin === coin && this.filters.span === span) Object.assign(this, panels);
    } catch (cause) {
      this.error = errorMessage(cause);
    }
  }

  saveUrl(): void {
    history.replaceState(
      null,
      '',
      writeUrl(
        this.filters,
        this.view,
        this.locked,
        this.viewState.options(),
        money.requested,
        this.shade,
      ) + location.hash,
    );
  }
}

export const store = new Store();
