/** What the chart library leaves out: wheel and double-tap on the price axis, two fingers up and down. */

export interface PriceZoom {
  /** Width of the plot; further right is the price axis. */
  axisFrom(): number;
  /** Multiply the shown price range about a height, 0 top … 1 bottom. */
  zoom(factor: number, about: number): void;
  auto(): void;
}

const DOUBLE_TAP = 320;
/** A pinch counts as vertical when it is this much taller than wide. */
const UPRIGHT = 1.4;

export function priceGestures(host: HTMLElement, price: PriceZoom): () => void {
  const place = (x: number, y: number): { onAxis: boolean; about: number } => {
    const box = host.getBoundingClientRect();
    return { onAxis: x - box.left > price.axisFrom(), about: (y - box.top) / Math.max(1, box.height) };
  };

  const wheel = (event: WheelEvent): void => {
    const at = place(event.clientX, event.clientY);
    if (!at.onAxis) return;
    event.preventDefault();
    event.stopPropagation();
    price.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.0025), at.about);
  };

  let tapped = 0;
  let apart = 0;
  const span = (event: TouchEvent): number => Math.abs(event.touches[0].clientY - event.touches[1].clientY);

  const start = (event: TouchEvent): void => {
    if (event.touches.length === 2) {
      const wide = Math.abs(event.touches[0].clientX - event.touches[1].clientX);
      apart = span(event) > UPRIGHT * wide ? span(event) : 0;
      if (apart) event.stopPropagation();
      return;
    }
    apart = 0;
    const touch = event.touches[0];
    if (!place(touch.clientX, touch.clientY).onAxis) return;
    if (event.timeStamp - tapped < DOUBLE_TAP) price.auto();
    tapped = event.timeStamp;
  };

  const move = (event: TouchEvent): void => {
    if (!apart || event.touches.length !== 2) return;
    event.preventDefault();
    event.stopPropagation();
    const now = Math.max(8, span(event));
    const middle = (event.touches[0].clientY + event.touches[1].clientY) / 2;
    price.zoom(apart / now, place(0, middle).about);
    apart = now;
  };

  const end = (): void => {
    apart = 0;
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
