// Finishes the site folder: bundles and shrinks the styles, shrinks nothing else, compresses every file that
// compression helps, and writes `build-id`: 16 hex digits that change with the content of pkg/ and nothing else.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { bundle } from 'lightningcss';

const [site, styles] = process.argv.slice(2);

const { code } = bundle({ filename: styles, minify: true });
writeFileSync(join(site, 'pkg', 'keystead.css'), code);

const files = readdirSync(site, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .sort();

const content = createHash('sha256');
for (const file of files) {
  const bytes = readFileSync(file);
  if (file.startsWith(join(site, 'pkg'))) content.update(`${file.slice(site.length)}\0${bytes.length}\0`).update(bytes);
  const compressed = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  // Pictures and the like are compressed already: a second copy would only make the binary larger.
  if (compressed.length < bytes.length * 0.95) writeFileSync(`${file}.br`, compressed);
}
writeFileSync(join(site, 'build-id'), content.digest('hex').slice(0, 16));
