// Brotli size of what a browser must run to start: script and style, without the font. Budget 100 kB.
// What the page fetches when it is first asked for is told apart.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

const BUDGET = 100_000;
const folder = fileURLToPath(new URL('../../src/powderkeg/static/', import.meta.url));
const page = readFileSync(`${folder}index.html`, 'utf8');
const start = {};
const later = {};
for (const name of readdirSync(`${folder}assets`).filter((n) => /\.(js|css)$/.test(n))) {
  const sizes = page.includes(`assets/${name}`) ? start : later;
  sizes[name] = brotliCompressSync(readFileSync(`${folder}assets/${name}`)).length;
}
// A chunk that the first script imports without being asked would hide from the page's own list.
const first = Object.keys(start).filter((n) => n.endsWith('.js')).map((n) => readFileSync(`${folder}assets/${n}`, 'utf8')).join('');
for (const name of Object.keys(later).filter((n) => first.includes(`from"./${n}"`))) {
  start[name] = later[name];
  delete later[name];
}
const total = Object.values(start).reduce((sum, n) => sum + n, 0);
console.log(JSON.stringify({ brotli_bytes: total, budget: BUDGET, start, later }));
if (!total || total > BUDGET) {
  console.error(total ? `expected at most ${BUDGET} bytes of script and style, got ${total}` : `no script found in ${folder}`);
  process.exit(1);
}
