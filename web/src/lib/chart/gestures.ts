/** Gestures the chart library lacks: wheel and double-tap on the price axis, vertical pinch. */

export interface PriceZoom {
  /** Width of the plot; further right is the price axis. */
  axisFrom(): number;
  /** Scale the visible price range around a height, 0 top … 1 bottom. */
  zoom(factor: number, anchor: number): void;
  auto(): void;
}

const DOUBLE_TAP = 320;
/** A pinch counts as vertical when it is this much taller than wide. */
const VERTICAL_RATIO = 1.4;

export function priceGestures(host: HTMLElement, price: PriceZoom): () => void {
  const locate = (x: number, y: number): { onAxis: boolean; anchor: number } => {
    const box = host.getBoundingClientRect();
    return {
      onAxis: x - box.left > price.axisFrom(),
      anchor: (y - box.top) / Math.max(1, box.height),
    };
  };

  const wheel = (event: WheelEvent): void => {
    const at = locate(event.clientX, event.clientY);
    if (!at.onAxis) return;
    event.preventDefault();
    event.stopPropagation();
    price.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.0025), at.anchor);
  };

  let lastTap = 0;
  let pinch = 0;
  const spread = (event: TouchEvent): number =>
    Math.abs(event.touches[0].clientY - event.touches[1].clientY);

  const start = (event: TouchEvent): void => {
    if (event.touches.length === 2) {
      const wide = Math.abs(event.touches[0].clientX - event.touches[1].clientX);
      pinch = spread(event) > VERTICAL_RATIO * wide ? spread(event) : 0;
      if (pinch) event.stopPropagation();
      return;
    }
    pinch = 0;
    const touch = event.touches[0];
    if (!locate(touch.clientX, touch.clientY).onAxis) return;
    if (event.timeStamp - lastTap < DOUBLE_TAP) price.auto();
    lastTap = event.timeStamp;
  };

  const move = (event: TouchEvent): void => {
    if (!pinch || event.touches.length !== 2) return;
    event.preventDefault();
    event.stopPropagation();
    const now = Math.max(8, spread(event));
    const middle = (event.touches[0].clientY + event.touches[1].clientY) / 2;
    price.zoom(pinch / now, locate(0, middle).anchor);
    pinch = now;
  };

  const end = (): void => {
    pinch = 0;
  };

  const early = { capture: true, passive: false } as const;
  host.addEventListener('wheel', wheel, early);
  host.addEventListener('touchstart', start, early);
  host.addEventListener('touchmove', move, early);
  host.addEventListener('touchend', end, early);
  return () => {
    host.removeEventListener('wheel', wheel, early);
    host.removeEventListener('touchstart', start, early);
    host.removeEventListener('touchmove', move, early);
    host.removeEventListener('touchend', end, early);
  };
}
