/** The last map as a picture with its date: what a page without a line can honestly show. */

const PLACE = 'powderkeg-last';
const ADDRESS = '/last-map';
const MOMENT = 'x-map-of';

export interface Kept {
  /** Address of the picture in this page. */
  url: string;
  /** When the map stood so, ms. */
  at: number;
}

/** Keep a picture of the map; a browser that forbids it has none to show later. */
export async function keepPicture(canvas: HTMLCanvasElement, at: number): Promise<void> {
  if (!('caches' in globalThis) || !canvas.width) return;
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/webp', 0.8));
  if (!blob) return;
  const store = await caches.open(PLACE);
  await store.put(ADDRESS, new Response(blob, { headers: { 'content-type': blob.type, [MOMENT]: String(at) } }));
}

/** The picture that was kept last, or null. */
export async function lastPicture(): Promise<Kept | null> {
  if (!('caches' in globalThis)) return null;
  const answer = await (await caches.open(PLACE)).match(ADDRESS);
  const at = Number(answer?.headers.get(MOMENT));
  return answer && at > 0 ? { url: URL.createObjectURL(await answer.blob()), at } : null;
}
