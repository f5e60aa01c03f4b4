// Prints what the site weighs, and fails when script and WASM together pass the budget (brotli).
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const BUDGET = 230_000;
const [site] = process.argv.slice(2);

const kib = (bytes) => `${(bytes / 1000).toFixed(1)} KB`.padStart(11);
const row = (name, raw, small) => console.log(`  ${name.padEnd(34)}${raw}${small}`);

let code = 0;
row('site', 'raw'.padStart(11), 'brotli'.padStart(11));
for (const entry of readdirSync(site, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath ?? entry.path, entry.name);
  if (!entry.isFile() || path.endsWith('.br') || entry.name === 'build-id') continue;
  const raw = statSync(path).size;
  const small = existsSync(`${path}.br`) ? statSync(`${path}.br`).size : raw;
  if (/\.(js|wasm)$/.test(path)) code += small;
  row(path.slice(site.length + 1), kib(raw), kib(small));
}
row('script and WASM, of 230 KB allowed', ''.padStart(11), kib(code));
console.log(`  build ${readFileSync(join(site, 'build-id'), 'utf8')}`);

if (code > BUDGET) {
  console.error(`The site's script and WASM weigh ${kib(code).trim()} with brotli; at most 230 KB are allowed.`);
  process.exit(1);
}
