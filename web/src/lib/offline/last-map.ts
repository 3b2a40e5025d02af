/** Keeps an image of the last map with its time, for a page that opens offline. */

const CACHE = 'powderkeg-last';
const URL_PATH = '/last-map';
const TIME_HEADER = 'x-map-of';

export interface LastMap {
  /** Object URL of the image. */
  url: string;
  /** Time of the map, ms. */
  at: number;
}

/** Save an image of the map; does nothing where the browser has no cache storage. */
export async function saveLastMap(canvas: HTMLCanvasElement, at: number): Promise<void> {
  if (!('caches' in globalThis) || !canvas.width) return;
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/webp', 0.8));
  if (!blob) return;
  const store = await caches.open(CACHE);
  await store.put(
    URL_PATH,
    new Response(blob, { headers: { 'content-type': blob.type, [TIME_HEADER]: String(at) } }),
  );
}

/** The last saved image, or null. */
export async function loadLastMap(): Promise<LastMap | null> {
  if (!('caches' in globalThis)) return null;
  const answer = await (await caches.open(CACHE)).match(URL_PATH);
  const at = Number(answer?.headers.get(TIME_HEADER));
  return answer && at > 0 ? { url: URL.createObjectURL(await answer.blob()), at } : null;
}
