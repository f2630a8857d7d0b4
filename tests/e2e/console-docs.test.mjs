// docs/console.md and its pictures belong together.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const text = readFileSync(path.join(docs, 'console.md'), 'utf8');
const named = new Set([...text.matchAll(/\]\((console\/[\w-]+\.\w+)\)/g)].map(([, file]) => path.basename(file)));
const there = readdirSync(path.join(docs, 'console'));
const all_bytes = 1_500_000; // everybody who clones the repository gets them

test('every picture that is named is there, and none is there for nothing', () => {
  assert.deepEqual([...named].sort(), there.sort());
});

test('every page is shown in both themes', () => {
  for (const file of named) {
    const other = file.endsWith('-light.webp') ? file.replace('-light', '-dark') : file.endsWith('-dark.webp') ? file.replace('-dark', '-light') : file;
    assert.ok(named.has(other), other);
  }
});

test('they are pictures, and small together', () => {
  const sizes = there.map((file) => statSync(path.join(docs, 'console', file)).size);
  assert.ok(sizes.reduce((sum, size) => sum + size, 0) < all_bytes);
  for (const file of there) assert.equal(readFileSync(path.join(docs, 'console', file)).toString('latin1', 8, 12), 'WEBP', file);
});
