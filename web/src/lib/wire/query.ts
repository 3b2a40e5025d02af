/** Filters, and the URLs built from them. */

import { parseTime } from '../playback/time';

export type SideFilter = 'both' | 'long' | 'short';

/** Our map, the static map as published elsewhere, or the difference of both. */
export type Model = 'calibrated' | 'static' | 'difference';

/** Spans with 5-minute columns, the only ones the static map is stored for. */
export const STATIC_SPANS: readonly string[] = ['3d', '5d'];

/** Null venues or tiers mean all, so that a link still means "all" when a venue is added. */
export interface Filters {
  coin: string;
  span: string;
  venues: string[] | null;
  tiers: number[] | null;
  side: SideFilter;
  model: Model;
  /** Playback time, µs; null or absent means now. */
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

export function viewUrl(view: string, filters: Filters): string {
  return `/v1/${encodeURIComponent(filters.coin)}/${view}?${filterQuery(filters)}${
    view === 'heatmap' && filters.model === 'difference' ? '&planes=difference' : ''
  }`;
}

export function streamUrl(filters: Filters, origin: string): string {
  const socket = origin.replace(/^http/, 'ws');
  return `${socket}/v1/stream?coin=${encodeURIComponent(filters.coin)}&${filterQuery({ ...filters, at: null })}`;
}

export function readFilters(q: URLSearchParams): Partial<Filters> {
  const out: Partial<Filters> = {};
  const coin = q.get('coin');
  if (coin && /^[A-Za-z0-9]{1,20}$/.test(coin)) out.coin = coin.toUpperCase();
  const span = q.get('span');
  if (span && /^\d{1,3}[mhdw]$/.test(span)) out.span = span;
  const venues = q
    .get('venues')
    ?.split(',')
    .filter((v) => /^[a-z0-9_-]{1,20}$/.test(v));
  if (venues?.length) out.venues = venues;
  const tiers = q
    .get('tiers')
    ?.split(',')
    .map(Number)
    .filter((t) => t > 0 && t <= 1000);
  if (tiers?.length) out.tiers = tiers;
  const side = q.get('side');
  if (side === 'long' || side === 'short' || side === 'both') out.side = side;
  const model = q.get('model');
  if (model === 'static' || model === 'difference') out.model = model;
  const at = parseTime(q.get('at'));
  if (at) out.at = at;
  return out;
}

/** A response prefetched by index.html, usable once. */
function takePrefetched(url: string): Promise<Response | null> | undefined {
  const { prefetched } = globalThis as { prefetched?: Map<string, Promise<Response | null>> };
  const answer = prefetched?.get(url);
  prefetched?.delete(url);
  return answer;
}

/** Fetch a MessagePack answer. Throws the server's error message if it refuses. */
export async function request(url: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  const answer =
    (await takePrefetched(url)) ??
    (await fetch(url, {
      headers: { Accept: 'application/vnd.msgpack' },
      ...(signal ? { signal } : {}),
    }));
  return (await checkOk(answer)).arrayBuffer();
}

/** Throws the server's error message unless the response is ok. */
export async function checkOk(answer: Response): Promise<Response> {
  if (answer.ok) return answer;
  const body: unknown = await answer.json().catch(() => null);
  const message =
    typeof body === 'object' && body !== null && 'error' in body
      ? String(body.error)
      : `the server answered ${answer.status}`;
  throw new Error(message);
}
