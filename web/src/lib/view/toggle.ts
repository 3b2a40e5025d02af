/** Toggle one of a set. Null stands for the full set; the last one cannot be switched off. */
export function toggle<T>(all: readonly T[], chosen: readonly T[] | null, one: T): T[] | null {
  const now = chosen ?? all;
  const next = now.includes(one)
    ? now.filter((x) => x !== one)
    : all.filter((x) => x === one || now.includes(x));
  if (!next.length) return [...now];
  return next.length === all.length ? null : next;
}
