/** Switch one of a set; the full set is kept as null, and the last one cannot be switched off. */
export function toggled<T>(all: readonly T[], chosen: readonly T[] | null, one: T): T[] | null {
  const now = chosen ?? all;
  const next = now.includes(one) ? now.filter((x) => x !== one) : all.filter((x) => x === one || now.includes(x));
  if (!next.length) return [...now];
  return next.length === all.length ? null : next;
}
