/*
 * Makes the page open offline: page, scripts and font are cached, market data never.
 *
 * Pages are network-first, so that a new version is used on the next visit; /assets/ are content-hashed
 * and cache-first. Everything else, above all /v1, is not handled: an old map must never look current.
 */
const SHELL = 'powderkeg-shell';
const STATIC_FILES = ['/icon.svg', '/icon-192.png', '/icon-512.png', '/manifest.webmanifest'];

/** Assets referenced by a text: scripts of a page, chunks of a script, fonts of a style sheet. */
const assetsIn = (text) =>
  (text.match(/assets\/[\w.-]+\.(?:js|css|woff2)/g) ?? []).map((name) => `/${name}`);

/** Cache every asset the page can load, and return their paths. */
async function cacheAssets(html, cache) {
  const assets = new Set(assetsIn(html));
  for (const asset of assets) {
    if (!(await cache.match(asset))) await cache.add(asset);
    if (!/\.(js|css)$/.test(asset)) continue;
    const text = await (await cache.match(asset)).text();
    for (const name of assetsIn(text)) assets.add(name);
  }
  return assets;
}

async function cachePage(page) {
  const html = await page.clone().text();
  const cache = await caches.open(SHELL);
  const before = await (await cache.match('/'))?.text();
  if (before === html) return;
  // A new version: cache its assets first, then remove those of the old one.
  const assets = await cacheAssets(html, cache);
  await cache.addAll(STATIC_FILES);
  await cache.put('/', page);
  for (const { url } of await cache.keys()) {
    const { pathname } = new URL(url);
    if (pathname.startsWith('/assets/') && !assets.has(pathname)) await cache.delete(url);
  }
}

/** Network first; caching does not delay the page. */
async function page(event) {
  try {
    const answer = await fetch(event.request);
    if (answer.ok) event.waitUntil(cachePage(answer.clone()));
    return answer;
  } catch (cause) {
    return (await caches.match('/', { cacheName: SHELL })) ?? Promise.reject(cause);
  }
}

async function asset(request) {
  const cached = await caches.match(request, { cacheName: SHELL });
  if (cached) return cached;
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(SHELL)).put(request, answer.clone());
  return answer;
}

addEventListener('install', (event) => {
  event.waitUntil(
    fetch('/', { cache: 'no-store' })
      .then(cachePage)
      .then(() => skipWaiting()),
  );
});
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (request.mode === 'navigate' && pathname === '/') event.respondWith(page(event));
  else if (pathname.startsWith('/assets/') || STATIC_FILES.includes(pathname))
    event.respondWith(asset(request));
});
