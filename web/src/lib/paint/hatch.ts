/** Time in which nothing was heard: hatched, never interpolated. */

const patterns = new Map<number, HTMLCanvasElement>();

function tile(ratio: number): HTMLCanvasElement {
  const known = patterns.get(ratio);
  if (known) return known;
  const side = Math.max(4, Math.round(8 * ratio));
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const ctx = canvas.getContext('2d');
  if (ctx) {
    ctx.strokeStyle = 'rgba(152,163,184,0.35)';
    ctx.lineWidth = Math.max(1, ratio);
    ctx.beginPath();
    for (const off of [-side, 0, side]) {
      ctx.moveTo(off, side);
      ctx.lineTo(off + side, 0);
    }
    ctx.stroke();
  }
  patterns.set(ratio, canvas);
  return canvas;
}

export function hatch(ctx: CanvasRenderingContext2D, from: number, to: number, height: number, ratio: number): void {
  const left = Math.round(from);
  const width = Math.max(Math.round(ratio), Math.round(to) - left);
  const pattern = ctx.createPattern(tile(ratio), 'repeat');
  if (!pattern) return;
  ctx.fillStyle = pattern;
  ctx.fillRect(left, 0, width, height);
}
