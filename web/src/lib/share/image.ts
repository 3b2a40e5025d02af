/** Renders the current view to an image, with title and legend above and a caption below. */
import { FONT_FAMILY, theme } from '../render/theme.svelte';
import { type CaptionData, captionParts, wrapLines } from './caption';
import { drawElement } from './dom';

const HEAD = 52;
const PAD = 14;
const LINE = 17;

export interface Scale {
  /** Labels of both ends, and the colour at a position between them. */
  lo: string;
  hi: string;
  colour: (t: number) => readonly [number, number, number];
}

export interface Title {
  coin: string;
  price: string;
  subtitle: string;
}

/**
 * Compose the image at the device pixel ratio. `scale` is null for views without a colour scale.
 */
export function compose(
  root: HTMLElement,
  title: Title,
  caption: CaptionData,
  scale: Scale | null,
): HTMLCanvasElement {
  const { width, height } = root.getBoundingClientRect();
  const ratio = Math.max(1, window.devicePixelRatio || 1);
  const canvas = document.createElement('canvas');
  const ctx = canvas.getContext('2d');
  if (!ctx) throw new Error('this browser does not support canvas');
  const small = `12px ${FONT_FAMILY}`;
  ctx.font = small;
  const lines = wrapLines(
    captionParts(caption),
    width - 2 * PAD,
    (text) => ctx.measureText(text).width,
  );
  const foot = lines.length * LINE + 14;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round((HEAD + height + foot) * ratio);
  ctx.scale(ratio, ratio);
  ctx.fillStyle = theme.background;
  ctx.fillRect(0, 0, width, HEAD + height + foot);
  head(ctx, width, title, scale);
  ctx.save();
  ctx.translate(0, HEAD);
  drawElement(ctx, root);
  ctx.restore();
  rule(ctx, width, HEAD + height + 0.5);
  ctx.font = small;
  ctx.fillStyle = theme.text;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  lines.forEach((line, i) => {
    ctx.fillText(line, PAD, HEAD + height + 19 + i * LINE);
  });
  return canvas;
}

function rule(ctx: CanvasRenderingContext2D, width: number, y: number): void {
  ctx.fillStyle = theme.rule;
  ctx.fillRect(0, y - 0.5, width, 1);
}

function head(
  ctx: CanvasRenderingContext2D,
  width: number,
  title: Title,
  scale: Scale | null,
): void {
  rule(ctx, width, HEAD - 0.5);
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  ctx.fillStyle = theme.ink;
  let x = PAD;
  const put = (text: string, font: string, colour: string, room: number): void => {
    ctx.font = `${font} ${FONT_FAMILY}`;
    const wide = ctx.measureText(text).width;
    if (x + wide > room) return;
    ctx.fillStyle = colour;
    ctx.fillText(text, x, 27);
    x += wide + 12;
  };
  const bar = scale ? Math.min(240, Math.max(140, width / 4)) : 0;
  const room = width - PAD - bar - 14;
  put(title.coin, '700 20px', theme.ink, width);
  put(title.price, '600 16px', theme.ink, room);
  put(title.subtitle, '12px', theme.text, room);
  if (scale) legend(ctx, width - PAD - bar, bar, scale);
}

function legend(ctx: CanvasRenderingContext2D, left: number, bar: number, scale: Scale): void {
  for (let i = 0; i < bar; i++) {
    ctx.fillStyle = `rgb(${scale.colour(i / (bar - 1)).join(',')})`;
    ctx.fillRect(left + i, 32, 1.5, 8);
  }
  ctx.font = `550 11px ${FONT_FAMILY}`;
  ctx.fillStyle = theme.ink;
  ctx.fillText(scale.lo, left, 20);
  ctx.textAlign = 'right';
  ctx.fillText(scale.hi, left + bar, 20);
  ctx.textAlign = 'center';
  ctx.fillStyle = theme.text;
  if (bar > 170) ctx.fillText('per cell', left + bar / 2, 20);
  ctx.textAlign = 'left';
}

export function png(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((done, failed) =>
    canvas.toBlob(
      (blob) => (blob ? done(blob) : failed(new Error('the browser could not create the image'))),
      'image/png',
    ),
  );
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser needs the URL until it has started to read.
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
