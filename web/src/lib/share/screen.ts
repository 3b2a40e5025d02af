/** What stands on the screen, drawn on a canvas: canvases as they are, boxes and words as the page lays them out. */

interface Seen {
  ctx: CanvasRenderingContext2D;
  left: number;
  top: number;
}

/** Draw a part of the page at the origin of `ctx`, in CSS pixels. */
export function drawScreen(ctx: CanvasRenderingContext2D, root: HTMLElement): void {
  const { left, top, width, height } = root.getBoundingClientRect();
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, 0, width, height);
  ctx.clip();
  element({ ctx, left, top }, root);
  ctx.restore();
}

function element(seen: Seen, node: HTMLElement | SVGElement): void {
  const style = getComputedStyle(node);
  if (style.display === 'none' || style.visibility === 'hidden' || node.dataset['share'] === 'no') return;
  const box = node.getBoundingClientRect();
  if (node instanceof SVGElement || (box.width <= 1 && box.height <= 1)) return;
  seen.ctx.save();
  seen.ctx.globalAlpha *= Number(style.opacity);
  if (style.overflow !== 'visible') {
    seen.ctx.beginPath();
    seen.ctx.rect(box.left - seen.left, box.top - seen.top, box.width, box.height);
    seen.ctx.clip();
  }
  boxed(seen, box, style);
  if (node instanceof HTMLCanvasElement) {
    if (node.width && node.height) seen.ctx.drawImage(node, box.left - seen.left, box.top - seen.top, box.width, box.height);
  } else if (node instanceof HTMLSelectElement) {
    chosen(seen, node, box, style);
  } else {
    for (const child of inOrder(node)) {
      if (child instanceof Text) words(seen, child, style);
      else if (child instanceof HTMLElement || child instanceof SVGElement) element(seen, child);
    }
  }
  seen.ctx.restore();
}

/** Children by z-index, as they are painted; those without one first, in the order of the page. */
function inOrder(node: Element): ChildNode[] {
  const depth = (child: ChildNode): number => (child instanceof Element ? Number(getComputedStyle(child).zIndex) || 0 : 0);
  return [...node.childNodes].map((child, i) => ({ child, i, z: depth(child) })).sort((a, b) => a.z - b.z || a.i - b.i).map(({ child }) => child);
}

function clear(colour: string): boolean {
  return colour === 'transparent' || /,\s*0\)$/.test(colour);
}

function boxed({ ctx, left, top }: Seen, box: DOMRect, style: CSSStyleDeclaration): void {
  const line = parseFloat(style.borderTopWidth);
  const round = Math.min(parseFloat(style.borderTopLeftRadius) || 0, box.height / 2);
  const bordered = line > 0 && style.borderTopStyle !== 'none' && !clear(style.borderTopColor);
  if (clear(style.backgroundColor) && !bordered) return;
  ctx.beginPath();
  ctx.roundRect(box.left - left + line / 2, box.top - top + line / 2, Math.max(0, box.width - line), Math.max(0, box.height - line), round);
  if (!clear(style.backgroundColor)) {
    ctx.fillStyle = style.backgroundColor;
    ctx.fill();
  }
  // A single rule above a row is no frame.
  if (bordered && parseFloat(style.borderLeftWidth) > 0) {
    ctx.strokeStyle = style.borderTopColor;
    ctx.lineWidth = line;
    ctx.stroke();
  }
}

/** A choice shows the words that are chosen; its list is not laid out. */
function chosen({ ctx, left, top }: Seen, node: HTMLSelectElement, box: DOMRect, style: CSSStyleDeclaration): void {
  ctx.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  ctx.fillStyle = style.color;
  ctx.textBaseline = 'middle';
  ctx.fillText(node.selectedOptions[0]?.text ?? '', box.left - left + (parseFloat(style.paddingLeft) || 4) + 1, box.top - top + box.height / 2);
}

/** Where the lines of a word begin: one may break at a dash. */
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

/** Words one by one, each where the page put it, so that lines break as they do there. */
function words({ ctx, left, top }: Seen, text: Text, style: CSSStyleDeclaration): void {
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
    const word = upper ? plain.toUpperCase() : capital ? plain.charAt(0).toUpperCase() + plain.slice(1) : plain;
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = ctx.measureText(word);
    ctx.fillText(word, box.left - left, box.top - top + (box.height - up - down) / 2 + up);
  }
}
