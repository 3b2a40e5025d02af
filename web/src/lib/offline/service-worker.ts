/** Register the service worker, which caches the page itself but never market data. */
export function registerServiceWorker(): void {
  if (!('serviceWorker' in navigator)) return;
  // After the first map, so that its downloads do not delay it.
  addEventListener('load', () => {
    window.setTimeout(() => {
      // Unavailable on plain http except on localhost; the page works without it.
      navigator.serviceWorker.register('/sw.js').catch(() => undefined);
    }, 4_000);
  });
}
