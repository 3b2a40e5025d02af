/** Draws part of the page on a canvas: canvases as they are, boxes and text as laid out. */

interface Surface {
  ctx: CanvasRenderingContext2D;
  left: number;
  top: number;
}

/** Draw a part of the page at the origin of `ctx`, in CSS pixels. */
export function drawElement(ctx: CanvasRenderingContext2D, root: HTMLElement): void {
  const { left, top, width, height } = root.getBoundingClientRect();
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, 0, width, height);
  ctx.clip();
  drawNode({ ctx, left, top }, root);
  ctx.restore();
}

function drawNode(surface: Surface, node: HTMLElement | SVGElement): void {
  const style = getComputedStyle(node);
  if (style.display === 'none' || style.visibility === 'hidden' || node.dataset['share'] === 'no')
    return;
  const box = node.getBoundingClientRect();
  if (node instanceof SVGElement || (box.width <= 1 && box.height <= 1)) return;
  surface.ctx.save();
  surface.ctx.globalAlpha *= Number(style.opacity);
  if (style.overflow !== 'visible') {
    surface.ctx.beginPath();
    surface.ctx.rect(box.left - surface.left, box.top - surface.top, box.width, box.height);
    surface.ctx.clip();
  }
  drawBox(surface, box, style);
  if (node instanceof HTMLCanvasElement) {
    if (node.width && node.height)
      surface.ctx.drawImage(
        node,
        box.left - surface.left,
        box.top - surface.top,
        box.width,
        box.height,
      );
  } else if (node instanceof HTMLSelectElement) {
    drawSelect(surface, node, box, style);
  } else {
    for (const child of inOrder(node)) {
      if (child instanceof Text) drawText(surface, child, style);
      else if (child instanceof HTMLElement || child instanceof SVGElement)
        drawNode(surface, child);
    }
  }
  surface.ctx.restore();
}

/** Children in painting order: by z-index, then document order. */
function inOrder(node: Element): ChildNode[] {
  const depth = (child: ChildNode): number =>
    child instanceof Element ? Number(getComputedStyle(child).zIndex) || 0 : 0;
  return [...node.childNodes]
    .map((child, i) => ({ child, i, z: depth(child) }))
    .sort((a, b) => a.z - b.z || a.i - b.i)
    .map(({ child }) => child);
}

function isTransparent(colour: string): boolean {
  return colour === 'transparent' || /,\s*0\)$/.test(colour);
}

function drawBox({ ctx, left, top }: Surface, box: DOMRect, style: CSSStyleDeclaration): void {
  const line = parseFloat(style.borderTopWidth);
  const radius = Math.min(parseFloat(style.borderTopLeftRadius) || 0, box.height / 2);
  const bordered =
    line > 0 && style.borderTopStyle !== 'none' && !isTransparent(style.borderTopColor);
  if (isTransparent(style.backgroundColor) && !bordered) return;
  ctx.beginPath();
  ctx.roundRect(
    box.left - left + line / 2,
    box.top - top + line / 2,
    Math.max(0, box.width - line),
    Math.max(0, box.height - line),
    radius,
  );
  if (!isTransparent(style.backgroundColor)) {
    ctx.fillStyle = style.backgroundColor;
    ctx.fill();
  }
  // A top border alone is a separator, not a frame.
  if (bordered && parseFloat(style.borderLeftWidth) > 0) {
    ctx.strokeStyle = style.borderTopColor;
    ctx.lineWidth = line;
    ctx.stroke();
  }
}

/** Draw the selected option of a select element. */
function drawSelect(
  { ctx, left, top }: Surface,
  node: HTMLSelectElement,
  box: DOMRect,
  style: CSSStyleDeclaration,
): void {
  ctx.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  ctx.fillStyle = style.color;
  ctx.textBaseline = 'middle';
  ctx.fillText(
    node.selectedOptions[0]?.text ?? '',
    box.left - left + (parseFloat(style.paddingLeft) || 4) + 1,
    box.top - top + box.height / 2,
  );
}

/** Line segments of one word, which may wrap at a hyphen. */
function lines(text: Text, from: number, to: number): [number, number][] {
  const range = document.createRange();
  const at = (i: number): number => {
    range.setStart(text, i);
    range.setEnd(text, i + 1);
    return range.getBoundingClientRect().top;
  };
  const starts = [from];
  for (let i = from + 1; i < to; i++) if (Math.abs(at(i) - at(i - 1)) > 2) starts.push(i);
  return starts.map((start, i) => [start, starts[i + 1] ?? to]);
}

/** Draw text word by word at its laid-out position, so that lines wrap as on the page. */
function drawText({ ctx, left, top }: Surface, text: Text, style: CSSStyleDeclaration): void {
  ctx.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  ctx.fillStyle = style.color;
  ctx.textBaseline = 'alphabetic';
  const upper = style.textTransform === 'uppercase';
  const capital = style.textTransform === 'capitalize';
  const range = document.createRange();
  const parts = [...text.data.matchAll(/\S+/g)].flatMap((found): [number, number][] => {
    const to = found.index + found[0].length;
    range.setStart(text, found.index);
    range.setEnd(text, to);
    return range.getClientRects().length > 1 ? lines(text, found.index, to) : [[found.index, to]];
  });
  for (const [from, to] of parts) {
    range.setStart(text, from);
    range.setEnd(text, to);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    const plain = text.data.slice(from, to);
    const word = upper
      ? plain.toUpperCase()
      : capital
        ? plain.charAt(0).toUpperCase() + plain.slice(1)
        : plain;
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = ctx.measureText(word);
    ctx.fillText(word, box.left - left, box.top - top + (box.height - up - down) / 2 + up);
  }
}
