/** What cells of the ladder are made of, and how they are drawn. */

/** A column: its left edge and width, pixels. */
export interface Column {
  x: number;
  width: number;
}
/** Part of a cell: a filled or an outlined rectangle, a text, or a line, with its colour. */
export type Part =
  | ['fill', string, number, number, number, number, number]
  | ['box', string, number, number, number, number]
  | ['text', string, string, number, number, CanvasTextAlign]
  | ['line', string, number, number, number];

/** Draw parts in a cell of a row that begins at a height and is as tall as it says. */
export function drawIn(
  ctx: CanvasRenderingContext2D,
  cell: Column,
  [top, tall]: readonly [number, number],
  parts: readonly Part[],
): void {
  // On whole pixels, so that a cell can be cleared without its neighbours.
  const [left, right] = [Math.round(cell.x), Math.round(cell.x + cell.width)];
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, right - left, tall);
  ctx.clip();
  ctx.clearRect(left, top, right - left, tall);
  drawParts(ctx, parts);
  ctx.restore();
}

export function drawParts(ctx: CanvasRenderingContext2D, parts: readonly Part[]): void {
  for (const part of parts) {
    switch (part[0]) {
      case 'fill':
        ctx.globalAlpha = part[2];
        ctx.fillStyle = part[1];
        ctx.fillRect(part[3], part[4], part[5], part[6]);
        ctx.globalAlpha = 1;
        break;
      case 'box':
        ctx.strokeStyle = part[1];
        ctx.strokeRect(part[2], part[3], part[4], part[5]);
        break;
      case 'text':
        ctx.fillStyle = part[1];
        ctx.textAlign = part[5];
        ctx.fillText(part[2], part[3], part[4]);
        break;
      case 'line':
        ctx.strokeStyle = part[1];
        ctx.beginPath();
        ctx.moveTo(part[2], part[4]);
        ctx.lineTo(part[3], part[4]);
        ctx.stroke();
        break;
    }
  }
}

/** Whether two lists of parts draw the same. */
export function same(a: readonly Part[], b: readonly Part[] | undefined): boolean {
  if (a.length !== b?.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a[i], b[i]];
    for (let n = 0; n < one.length; n++) if (one[n] !== other[n]) return false;
  }
  return true;
}
