// Brotli size of the scripts and styles loaded at start, without the font. Budget 100 kB.
// Chunks loaded on demand are listed separately.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

const BUDGET = 100_000;
const folder = fileURLToPath(new URL('../../src/powderkeg/static/', import.meta.url));
const page = readFileSync(`${folder}index.html`, 'utf8');
const start = {};
const onDemand = {};
for (const name of readdirSync(`${folder}assets`).filter((n) => /\.(js|css)$/.test(n))) {
  const sizes = page.includes(`assets/${name}`) ? start : onDemand;
  sizes[name] = brotliCompressSync(readFileSync(`${folder}assets/${name}`)).length;
}
// Chunks imported statically by the entry script are not listed in index.html.
const first = Object.keys(start)
  .filter((n) => n.endsWith('.js'))
  .map((n) => readFileSync(`${folder}assets/${n}`, 'utf8'))
  .join('');
for (const name of Object.keys(onDemand).filter((n) => first.includes(`from"./${n}"`))) {
  start[name] = onDemand[name];
  delete onDemand[name];
}
const total = Object.values(start).reduce((sum, n) => sum + n, 0);
console.log(JSON.stringify({ brotli_bytes: total, budget: BUDGET, start, onDemand }));
if (!total || total > BUDGET) {
  console.error(
    total
      ? `expected at most ${BUDGET} bytes of script and style, got ${total}`
      : `no script found in ${folder}`,
  );
  process.exit(1);
}
