/** What is asked of the server, and the same thing in the address bar. */

import { readMoment } from '../play/moment';

export type SideFilter = 'both' | 'long' | 'short';

/** Our map, the static one that others publish, or by how much ours holds more. */
export type Model = 'calibrated' | 'static' | 'difference';

/** Spans of 5-minute columns: the static map is kept in no other. */
export const STATIC_SPANS: readonly string[] = ['3d', '5d'];

/** Null venues or tiers mean all of them, so that a link keeps meaning "all" when a venue is added. */
export interface Filters {
  coin: string;
  span: string;
  venues: string[] | null;
  tiers: number[] | null;
  side: SideFilter;
  model: Model;
  /** µs of a past that is looked at; null or absent means now. */
  at?: number | null;
}

export function filterQuery(filters: Filters): string {
  const q = new URLSearchParams({ span: filters.span });
  if (filters.venues) q.set('venues', filters.venues.join(','));
  if (filters.tiers) q.set('tiers', filters.tiers.join(','));
  q.set('side', filters.side);
  if (filters.model === 'static') q.set('model', 'static');
  if (filters.at) q.set('at', String(filters.at));
  return q.toString().replaceAll('%2C', ',');
}

export function viewAddress(view: string, filters: Filters): string {
  return `/v1/${encodeURIComponent(filters.coin)}/${view}?${filterQuery(filters)}${
    view === 'heatmap' && filters.model === 'difference' ? '&planes=difference' : ''
  }`;
}

export function streamAddress(filters: Filters, origin: string): string {
  const socket = origin.replace(/^http/, 'ws');
  return `${socket}/v1/stream?coin=${encodeURIComponent(filters.coin)}&${filterQuery({ ...filters, at: null })}`;
}

export function readFilters(q: URLSearchParams): Partial<Filters> {
  const out: Partial<Filters> = {};
  const coin = q.get('coin');
  if (coin && /^[A-Za-z0-9]{1,20}$/.test(coin)) out.coin = coin.toUpperCase();
  const span = q.get('span');
  if (span && /^\d{1,3}[mhdw]$/.test(span)) out.span = span;
  const venues = q.get('venues')?.split(',').filter((v) => /^[a-z0-9_-]{1,20}$/.test(v));
  if (venues?.length) out.venues = venues;
  const tiers = q.get('tiers')?.split(',').map(Number).filter((t) => t > 0 && t <= 1000);
  if (tiers?.length) out.tiers = tiers;
  const side = q.get('side');
  if (side === 'long' || side === 'short' || side === 'both') out.side = side;
  const model = q.get('model');
  if (model === 'static' || model === 'difference') out.model = model;
  const at = readMoment(q.get('at'));
  if (at) out.at = at;
  return out;
}

/** What index.html asked for before this script was there; each is taken once. */
function taken(address: string): Promise<Response | null> | undefined {
  const { early } = globalThis as { early?: Map<string, Promise<Response | null>> };
  const answer = early?.get(address);
  early?.delete(address);
  return answer;
}

/** One answer of the server as MessagePack bytes; its own words when it refuses. */
export async function ask(address: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  const answer = (await taken(address)) ?? await fetch(address, {
    headers: { Accept: 'application/vnd.msgpack' },
    ...(signal ? { signal } : {}),
  });
  return (await granted(answer)).arrayBuffer();
}

/** The answer; throws what the server says of one that it refused. */
export async function granted(answer: Response): Promise<Response> {
  if (answer.ok) return answer;
  const body: unknown = await answer.json().catch(() => null);
  const said = typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : `the server answered ${answer.status}`;
  throw new Error(said);
}
