/*
 * The shell without a line: the page, its scripts and its font are kept, market data never.
 *
 * A page is asked of the network first, so that a new version is there on the next visit; what lies
 * under /assets/ carries its content in its name and is taken from here. All else, /v1 above all,
 * is not this script's business: an old map must never look like a new one.
 */
const SHELL = 'powderkeg-shell';
const PARTS = ['/icon.svg', '/icon-192.png', '/icon-512.png', '/manifest.webmanifest'];

/** Parts that a text names: a page its scripts, a script its later ones, a style sheet its font. */
const named = (text) => (text.match(/assets\/[\w.-]+\.(?:js|css|woff2)/g) ?? []).map((name) => `/${name}`);

/** Keep every part that a page needs, now or later, and return their addresses. */
async function gather(html, cache) {
  const parts = new Set(named(html));
  for (const part of parts) {
    const kept = (await cache.match(part)) ?? (await cache.add(part), await cache.match(part));
    if (/\.(js|css)$/.test(part)) named(await kept.text()).forEach((name) => parts.add(name));
  }
  return parts;
}

async function keep(page) {
  const html = await page.clone().text();
  const cache = await caches.open(SHELL);
  const before = await (await cache.match('/'))?.text();
  if (before === html) return;
  // Another version: its own parts come in first, and those of the old one go last.
  const parts = await gather(html, cache);
  await cache.addAll(PARTS);
  await cache.put('/', page);
  for (const { url } of await cache.keys()) {
    const { pathname } = new URL(url);
    if (pathname.startsWith('/assets/') && !parts.has(pathname)) await cache.delete(url);
  }
}

/** The page does not wait for its own keeping. */
async function page(event) {
  try {
    const answer = await fetch(event.request);
    if (answer.ok) event.waitUntil(keep(answer.clone()));
    return answer;
  } catch (why) {
    return (await caches.match('/', { cacheName: SHELL })) ?? Promise.reject(why);
  }
}

async function part(request) {
  const kept = await caches.match(request, { cacheName: SHELL });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(SHELL)).put(request, answer.clone());
  return answer;
}

addEventListener('install', (event) => {
  event.waitUntil(fetch('/', { cache: 'no-store' }).then(keep).then(() => skipWaiting()));
});
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (request.mode === 'navigate' && pathname === '/') event.respondWith(page(event));
  else if (pathname.startsWith('/assets/') || PARTS.includes(pathname)) event.respondWith(part(request));
});
