// A program that becomes a member of a mesh by itself.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { binary, run, startServer, temporaryDirectory, user } from './lib/server.mjs';

const example = path.join(path.dirname(binary), 'examples/example_join');
const prompt = 'Tell me a story about a lighthouse.';
let server;
let folder;
before(async () => {
  server = await startServer({ args: ['--threads', '1'] });
  folder = temporaryDirectory();
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const join = (invite, into = folder) => new Promise((resolve) => {
  execFile(example, [into, prompt], { env: { ...process.env, STARLING_JOIN: invite } },
    (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
});
const invite = async () => {
  const { stdout } = await run(['invite', '--role', 'client', '--data-dir', server.dataDir]);
  return stdout.trim();
};

test('it is a member, is answered by the mesh, and leaves; the folder lets it in again', async () => {
  const answer = await server.client.chat.completions.create({ model: 'starter', messages: [user(prompt)], temperature: 0 });
  const used = await invite();
  for (let i = 0; i < 2; ++i) {
    const told = await join(used);
    assert.equal(told.code, 0, told.stderr);
    assert.equal(told.stdout, answer.choices[0].message.content + '\n');
    assert.match(told.stderr, new RegExp(`served by ${server.nodeId}`));
  }
  const peers = await server.json('/api/peers');
  assert.deepEqual(peers.filter(({ name }) => name === 'example').map(({ state, role }) => [state, role]), [['left', 'client']]);
});

test('an invite that somebody else has used, and one that is none: exit 1 and one sentence', async () => {
  const used = await invite();
  assert.equal((await join(used)).code, 0);
  const other = temporaryDirectory();
  const late = await join(used, other);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /^[^\n]*used by another machine[^\n]*\n$/);
  const none = await join('starling:nonsense', other);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /^[^\n]*not an invite[^\n]*\n$/);
  rmSync(other, { recursive: true, force: true });
});
