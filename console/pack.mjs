// node pack.mjs DIST OUT: the built console as one file, which becomes part of the program. src/api/console_files.hpp
// says what it looks like.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
const worth_it = 0.9; // a file that shrinks by less is sent as it is

function* files_under(folder, prefix = '') {
  for (const entry of readdirSync(path.join(folder, prefix), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = `${prefix}/${entry.name}`;
    if (entry.isDirectory()) yield* files_under(folder, name);
    else yield name;
  }
}

const [dist, out] = process.argv.slice(2);
const pieces = [];
let offset = 0;
const keep = (content) => {
  const range = [offset, content.length];
  pieces.push(content);
  offset += content.length;
  return range;
};

const files = [...files_under(dist)].map((name) => {
  const type = types[path.extname(name)];
  if (!type) throw new Error(`${name}: pack.mjs does not know what a ${path.extname(name)} file is`);
  const plain = readFileSync(path.join(dist, name));
  const gzip = gzipSync(plain, { level: 9 });
  const etag = `"${createHash('sha256').update(plain).digest('hex').slice(0, 16)}"`;
  return { path: name, type, etag, plain: keep(plain), ...(gzip.length < plain.length * worth_it ? { gzip: keep(gzip) } : {}) };
});
writeFileSync(`${out}.tmp`, Buffer.concat([Buffer.from(`${JSON.stringify({ files })}\n`), ...pieces]));
renameSync(`${out}.tmp`, out);
