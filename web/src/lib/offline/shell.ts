/** Install the service worker that keeps the page itself, never its data. */
export function keepShell(): void {
  if (!('serviceWorker' in navigator)) return;
  // After the first map: what it fetches must not stand in the map's way.
  addEventListener('load', () => {
    window.setTimeout(() => {
      // Without one (plain http off this machine) the page is as it was.
      navigator.serviceWorker.register('/sw.js').catch(() => undefined);
    }, 4_000);
  });
}
