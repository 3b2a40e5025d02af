/** Draws where price ends after a touch, on the price axis of the cumulative curve. */
import { FONT, FONT_FAMILY, theme } from '../render/theme.svelte';
import type { TouchForecast } from '../wire/schema-on-demand';

export interface FanOptions {
  /** Signed distances at both edges of the canvas. */
  from: number;
  to: number;
  mark: number;
  figure: (price: number) => string;
  colour: (name: string) => string;
}

export interface FanLabel {
  x: number;
  width: number;
  /** Labels of higher rank are placed first. */
  rank: number;
}

const TOP = 16;
/** Height of the two lines of words below the fan, pixels. */
const FOOT = 40;
const GAP = 10;
/** Width of the names of the two rows. */
const NAMES = 64;

/** Indices of the labels that fit beside each other, those of the highest rank first. */
export function fitting(labels: readonly FanLabel[]): number[] {
  const order = labels.map((_, i) => i).sort((a, b) => labels[b].rank - labels[a].rank);
  const kept: number[] = [];
  for (const i of order) {
    const { x, width } = labels[i];
    const free = kept.every(
      (j) => Math.abs(labels[j].x - x) >= (labels[j].width + width) / 2 + GAP,
    );
    if (free) kept.push(i);
  }
  return kept.sort((a, b) => a - b);
}

const hueOf = (touch: TouchForecast): string => (touch.side === 'long' ? theme.long : theme.short);

export function drawFan(
  ctx: CanvasRenderingContext2D,
  width: number,
  height: number,
  touches: readonly TouchForecast[],
  options: FanOptions,
): void {
  const floor = height - FOOT;
  const x = (price: number): number =>
    ((price / options.mark - 1 - options.from) / (options.to - options.from)) * width;
  ctx.font = FONT;
  ctx.textBaseline = 'middle';
  for (const touch of touches) tint(ctx, touch, x, height - FOOT);
  ctx.fillStyle = theme.faint;
  ctx.fillRect(0, TOP, width, 1);
  ctx.fillRect(0, floor, width, 1);
  for (const touch of touches) fan(ctx, touch, x, floor);
  ctx.fillStyle = theme.ink;
  for (let y = 0; y < floor; y += 5) ctx.fillRect(Math.round(x(options.mark)), y, 1, 2);
  rowNames(
    ctx,
    width,
    floor,
    touches.flatMap(({ level, end }) => [level, ...end].map(x)),
  );
  words(ctx, width, floor, touches, x, options);
}

/** The cluster at the level, as the curve above has it. */
function tint(
  ctx: CanvasRenderingContext2D,
  touch: TouchForecast,
  x: (price: number) => number,
  height: number,
): void {
  if (!touch.cluster) return;
  const [from, to] = touch.cluster.map(x);
  ctx.globalAlpha = 0.16;
  ctx.fillStyle = hueOf(touch);
  ctx.fillRect(from, 0, Math.max(2, to - from), height);
  ctx.globalAlpha = 1;
}

/** From the touch to the middle 80 % of the endings, and a mark where half of them are beyond. */
function fan(
  ctx: CanvasRenderingContext2D,
  touch: TouchForecast,
  x: (price: number) => number,
  floor: number,
): void {
  const [near, half, far] = touch.end.map(x);
  ctx.fillStyle = hueOf(touch);
  ctx.globalAlpha = 0.22;
  ctx.beginPath();
  ctx.moveTo(x(touch.level), TOP);
  ctx.lineTo(near, floor);
  ctx.lineTo(far, floor);
  ctx.fill();
  ctx.globalAlpha = 0.75;
  ctx.fillRect(Math.min(near, far), floor - 3, Math.abs(far - near), 6);
  ctx.globalAlpha = 1;
  ctx.fillStyle = theme.ink;
  ctx.fillRect(Math.round(half) - 1, floor - 9, 3, 18);
  ctx.beginPath();
  ctx.arc(x(touch.level), TOP, 5, 0, 2 * Math.PI);
  ctx.fill();
}

/** Names of the two rows, at the edge that is free, else at the left. */
function rowNames(
  ctx: CanvasRenderingContext2D,
  width: number,
  floor: number,
  taken: readonly number[],
): void {
  const near = (edge: number): boolean => taken.some((at) => Math.abs(at - edge) < NAMES);
  const right = (near(0) || Math.min(...taken) < 0) && !near(width) && Math.max(...taken) < width;
  ctx.textAlign = right ? 'right' : 'left';
  ctx.fillStyle = theme.text;
  ctx.fillText('touch', right ? width - 6 : 6, TOP - 8);
  ctx.fillText('end price', right ? width - 6 : 6, floor - 11);
}

const WORDS = ['90% beyond', 'half beyond', '10% beyond'] as const;

function words(
  ctx: CanvasRenderingContext2D,
  width: number,
  floor: number,
  touches: readonly TouchForecast[],
  x: (price: number) => number,
  { figure }: FanOptions,
): void {
  const labels = touches.flatMap((touch) =>
    touch.end.map((price, n) => {
      const at = x(price);
      const out = at < 0 || at > width;
      const word = out ? `${WORDS[n]}, out of range` : WORDS[n];
      const wide = Math.max(ctx.measureText(word).width, ctx.measureText(figure(price)).width) + 4;
      const inside = Math.min(width - wide / 2, Math.max(wide / 2, at));
      return { x: inside, width: wide, rank: n === 1 ? 3 : n === 2 ? 2 : 1, word, price };
    }),
  );
  ctx.textAlign = 'center';
  for (const i of fitting(labels)) {
    const { x: at, word, price, rank } = labels[i];
    ctx.fillStyle = theme.ink;
    ctx.font = `${rank === 3 ? 650 : 550} 11px ${FONT_FAMILY}`;
    ctx.fillText(figure(price), at, floor + 17);
    ctx.font = FONT;
    ctx.fillStyle = theme.text;
    ctx.fillText(word, at, floor + 31);
  }
}
