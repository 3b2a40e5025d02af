// Brotli size of everything a browser must run: script and style, without the font. Budget 90 kB.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

const BUDGET = 90_000;
const folder = fileURLToPath(new URL('../../src/powderkeg/static/assets/', import.meta.url));
const sizes = {};
for (const name of readdirSync(folder)) {
  if (/\.(js|css)$/.test(name)) sizes[name] = brotliCompressSync(readFileSync(folder + name)).length;
}
const total = Object.values(sizes).reduce((sum, n) => sum + n, 0);
console.log(JSON.stringify({ brotli_bytes: total, budget: BUDGET, files: sizes }));
if (!total || total > BUDGET) {
  console.error(total ? `expected at most ${BUDGET} bytes of script and style, got ${total}` : `no script found in ${folder}`);
  process.exit(1);
}
