/** The state of the page: what is selected, and the stores of data, colours and preferences. */

import type { Cursor } from './chart/cursor';
import type { ChartStatus } from './chart/events';
import { errorMessage } from './errors';
import type { ApplyResult } from './grid/grid';
import { money } from './money/money.svelte';
import { Session } from './session';
import { StartupState } from './startup/state.svelte';
import { ColourScale } from './state/colour-scale.svelte';
import { MapStore } from './state/map.svelte';
import { Playback } from './state/playback.svelte';
import { Preferences } from './state/preferences.svelte';
import { modelParts } from './trust/model';
import { readUrl, type Shade, type ViewName, writeUrl } from './url';
import { ViewState } from './view/state.svelte';
import { check } from './wire/check';
import { Connection } from './wire/connection.svelte';
import { fetchPanels } from './wire/panels';
import { checkOk, type Filters, type Model, STATIC_SPANS } from './wire/query';
import { Coins } from './wire/schema';
import type { Bars, ByVenue, Cumulative } from './wire/types';

/** Seconds without data after which a live map is stale. */
const STALE_AFTER = 10;
const PANELS_POLL_MS = 4_000;
/** Seconds after which a pending first request is reported. */
const SLOW_REQUEST = 5;
const SAVE_URL_AFTER_MS = 400;
/** Width up to which the page is laid out for fingers. */
const NARROW = '(max-width: 820px)';
/** Poll interval of the server status, ms: during start-up and afterwards. */
const STATUS_POLL_MS = { starting: 800, ready: 5_000 };
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
  /** Name of the section shown. */
  place = $state('map');
  /** Identity of the episode chosen among the signals; empty for the newest. */
  episode = $state('');
  view = $state<ViewName>('heatmap');
  readonly preferences = new Preferences((ccy) => void this.scale.setCurrency(ccy));
  heat = $state(true);
  readonly viewState = new ViewState(() => {
    this.saveUrl();
    void this.poll();
  });
  narrow = $state(globalThis.matchMedia?.(NARROW).matches ?? false);

  readonly data = new MapStore();
  readonly scale = new ColourScale(
    () => this.data.grid,
    () => this.saveUrl(),
  );
  readonly playback = new Playback(this.filters, {
    onReopen: () => this.open(true),
    onSeek: (at) => this.#session?.seek(at),
  });

  /** Data of the panels beside the map. */
  bars = $state.raw<Bars | null>(null);
  cumulative = $state.raw<Cumulative | null>(null);
  byVenue = $state.raw<ByVenue | null>(null);
  ready = $state(true);
  progress = $state('');

  /** Start-up progress of the server. */
  readonly startup = new StartupState({
    onProgress: (coin) => {
      if (coin === this.filters.coin) this.#refresh();
    },
    onReady: () => void this.#fetchStatus().catch(() => undefined),
  });

  readonly connection = new Connection();
  error = $state<string | null>(null);
  /** Wall clock, ms, updated four times a second. */
  clock = $state(Date.now());

  cursor = $state.raw<Cursor | null>(null);
  chartStatus = $state.raw<ChartStatus>({ following: true, behind: 0, columnsPerCandle: 1 });

  sheet = $state<
    'coin' | 'filters' | 'settings' | 'help' | 'health' | 'trust' | 'share' | 'startup' | null
  >(null);

  /** Seconds since the newest data of any selected market. */
  readonly age = $derived(this.data.age(this.clock));
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
    const model = this.data.trust?.model || '–';
    return this.filters.model === 'difference' ? `${model} vs static` : model;
  });
  readonly modelParts = $derived(modelParts(this.modelLine));
  /** Playback, replays and start-up are never stale. */
  readonly stale = $derived(
    this.ready &&
      !this.playback.active &&
      (this.data.snapshot?.source ?? 'replay') !== 'replay' &&
      this.age > STALE_AFTER,
  );
  readonly offline = $derived(this.data.snapshot !== null && this.connection.lost);

  /** Set by the mounted chart: columns bypass Svelte for speed. */
  onColumn: (result: ApplyResult) => void = () => undefined;
  readonly #startedAt = Date.now();
  #session: Session | null = null;
  #timers: number[] = [];
  #saveUrlTimer = 0;

  start(): void {
    const url = readUrl(location.search);
    Object.assign(this.filters, url.filters);
    this.view = url.view;
    this.place = url.place ?? 'map';
    this.episode = url.episode ?? '';
    const { settings } = this.preferences;
    this.scale.locked = url.locked;
    this.scale.shade = url.shade ?? settings.shade;
    void this.scale.setCurrency(url.ccy ?? settings.currency);
    this.viewState.restore(url.viewOptions);
    const narrow = matchMedia(NARROW);
    this.narrow = narrow.matches;
    narrow.addEventListener('change', (event) => (this.narrow = event.matches));
    this.#timers.push(window.setInterval(() => (this.clock = Date.now()), 250));
    this.playback.open = this.playback.active;
    // Playback does not change by itself.
    this.#timers.push(
      window.setInterval(() => void (this.playback.active || this.poll()), PANELS_POLL_MS),
    );
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
    const { coins, source, note, ready, progress } = check(Coins, await answer.json());
    const becameReady = !this.ready && ready;
    Object.assign(this, { coins, ready, progress });
    Object.assign(this.data, { source, note });
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
    this.data.keepView = keep;
    this.connection.lost = false;
    if (!keep) this.cursor = this.data.newFit = null;
    // The cursor price belongs to another coin.
    const { snapshot } = this.data;
    if (snapshot && snapshot.coin !== this.filters.coin) this.viewState.clear();
    const session = new Session({ ...this.filters }, keep, {
      onMap: (map, grid, keep, refetch) => {
        const first = !this.data.snapshot;
        this.data.applySnapshot(map, grid, keep, refetch);
        this.saveUrl();
        if (first) void this.poll();
      },
      onColumn: (column, result) => {
        this.data.columnApplied(column, result);
        this.onColumn(result);
      },
      onLevels: (levels) => this.data.applyLevels(levels),
      onStatus: (status) => this.data.applyStatus(status),
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

  get dropped(): number {
    return this.#session?.dropped ?? 0;
  }

  setFilters(change: Partial<Filters>): void {
    if (change.span && !STATIC_SPANS.includes(change.span) && this.filters.model === 'difference')
      change.model = 'calibrated';
    Object.assign(this.filters, change);
    this.open(!('coin' in change || 'span' in change));
  }

  setPlace(place: string): void {
    this.place = place;
    this.saveUrl();
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

  /** Switch to the next shorter or longer span. */
  stepSpan(by: number): void {
    const spans = this.data.snapshot?.spans ?? [];
    const at = spans.indexOf(this.filters.span);
    const next = spans[at + by];
    if (at >= 0 && next) this.setFilters({ span: next });
  }

  /** Switch between relief and money, and remember the choice. */
  setShade(shade: Shade): void {
    this.scale.setShade(shade);
    this.preferences.set({ shade });
  }

  /** Fetch the data of the visible panels. */
  async poll(): Promise<void> {
    if (document.visibilityState === 'hidden' || !this.data.snapshot) return;
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
        this.scale.locked,
        this.viewState.options(),
        money.requested,
        this.scale.shade,
        this.place,
        this.episode,
      ) + location.hash,
    );
  }
}

export const store = new Store();
