/* What a careful reader would circle on a print of the page: small text, small targets, cut or overlapping words. */
() => {
  const faults = [];
  const root = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  const name = (e) => `${e.tagName.toLowerCase()}.${[...e.classList].filter((c) => !c.startsWith('svelte')).join('.')} "${(e.getAttribute('aria-label') ?? e.textContent).trim().slice(0, 40)}"`;
  const skipped = (e) => e.closest('.sr, .chart, noscript, script, style, [popover]:not(:popover-open)');
  const seen = (e) => !skipped(e) && e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const scrolls = (e) => /auto|scroll/.test(getComputedStyle(e).overflowX + getComputedStyle(e).overflowY);
  const cuts = (e) => /hidden|clip/.test(getComputedStyle(e).overflowX + getComputedStyle(e).overflowY);

  const texts = [];
  for (const e of root.querySelectorAll('*')) {
    if (e.ownerSVGElement || !seen(e)) continue;
    const own = [...e.childNodes].filter((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own.length) continue;
    const size = parseFloat(getComputedStyle(e).fontSize);
    if (size < 10.99) faults.push(`text of ${size} px: ${name(e)}`);
    const range = document.createRange();
    for (const node of own) {
      range.selectNodeContents(node);
      for (const r of range.getClientRects()) if (r.width > 1 && r.height > 1) texts.push({ e, r });
    }
  }
  const open = [];
  for (const { e, r } of texts) {
    let reachable = true;
    let box = { left: r.left, right: r.right, top: r.top, bottom: r.bottom };
    for (let up = e; up && up !== document.documentElement; up = up.parentElement) {
      const b = up.getBoundingClientRect();
      if (scrolls(up)) {
        if (r.right > b.right + 1 || r.bottom > b.bottom + 1 || r.top < b.top - 1 || r.left < b.left - 1) reachable = false;
        box = { left: Math.max(box.left, b.left), right: Math.min(box.right, b.right), top: Math.max(box.top, b.top), bottom: Math.min(box.bottom, b.bottom) };
        break;
      }
      if (cuts(up) && (r.right > b.right + 1.5 || r.left < b.left - 1.5 || r.bottom > b.bottom + 3 || r.top < b.top - 3)) {
        faults.push(`cut by ${name(up).slice(0, 30)}: ${name(e)}`);
        reachable = false;
        break;
      }
    }
    if (reachable && (r.left < -1 || r.right > innerWidth + 1 || r.bottom > innerHeight + 1)) faults.push(`outside the window: ${name(e)}`);
    if (box.right - box.left > 1 && box.bottom - box.top > 1) open.push({ e, box });
  }
  for (let i = 0; i < open.length; i++)
    for (let j = i + 1; j < open.length; j++) {
      const [a, b] = [open[i], open[j]];
      if (a.e === b.e || a.e.closest('[role=tooltip], .readout') || b.e.closest('[role=tooltip], .readout')) continue;
      const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const tall = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      // Lines of one paragraph may share the air between them.
      if (wide > 2 && tall > 5) faults.push(`over each other: ${name(a.e)} and ${name(b.e)}`);
    }
  for (const e of root.querySelectorAll('button, a[href], input, select, [role=slider], [role=switch], summary')) {
    // A link inside a sentence is as tall as its line.
    if (!seen(e) || (e.tagName === 'A' && e.closest('p'))) continue;
    const r = e.getBoundingClientRect();
    if (Math.min(r.width, r.height) < 43.5) faults.push(`target of ${Math.round(r.width)} x ${Math.round(r.height)}: ${name(e)}`);
  }
  if (document.documentElement.scrollWidth > innerWidth) faults.push(`the page is ${document.documentElement.scrollWidth} wide`);
  return [...new Set(faults)];
};
