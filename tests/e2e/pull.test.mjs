// `starling models pull` against a hub of our own: nothing leaves this machine.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startHub } from './lib/hub.mjs';
import { run, startServer, temporaryDirectory, user } from './lib/server.mjs';

const starter = readFileSync(path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../models/starter.gguf'));
const reference = 'hf://owner/repo/small.gguf';
let hub, dir;
beforeEach(async () => {
  dir = temporaryDirectory();
  hub = await startHub(starter);
});
afterEach(() => {
  hub.stop();
  rmSync(dir, { recursive: true, force: true });
});

const models = (verb, ...args) => run(['models', verb, ...args, '--data-dir', dir, '--hub-url', hub.url], { env: { HF_TOKEN: '' } });
const pull = () => models('pull', reference);
const filesHere = () => readdirSync(dir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).map((f) => f.name);

test('a model is pulled, listed, shown, served and removed', async () => {
  const pulled = await pull();
  assert.equal(pulled.code, 0, pulled.stderr);
  assert.match((await models('list')).stdout, /small/);
  const shown = await models('show', reference);
  assert.match(shown.stdout, /sha256 +[0-9a-f]{64}/);
  assert.match(shown.stdout, /qwen3/);
  const again = await pull();
  assert.equal(again.code, 0, again.stderr);
  assert.equal(hub.asked.length, 1, 'what is here is not fetched again');

  const server = await startServer({ args: ['--data-dir', dir, '--hub-url', hub.url, '--model', reference] });
  try {
    const [model] = (await server.client.models.list()).data;
    const answer = await server.client.chat.completions.create({ model: model.id, messages: [user('Hello!')], max_tokens: 8 });
    assert.ok(answer.choices[0].message.content.length > 0);
  } finally {
    await server.stop();
  }
  assert.equal((await models('rm', reference)).code, 0);
  assert.doesNotMatch((await models('list')).stdout, /small/);
});

test('a model without memory for it is not fetched, unless it is to be split', async () => {
  const args = ['--data-dir', dir, '--hub-url', hub.url, '--model', reference, '--memory', '3M'];
  const refused = await run(['serve', '--port', '0', '--peer-port', '0', ...args]);
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(refused.stderr, /takes about [\d.]+ MB of memory .* are free.*--split/);
  assert.deepEqual(filesHere().filter((name) => name.endsWith('.gguf')), []);

  const server = await startServer({ args: [...args, '--split', '2'] });
  try {
    const [model] = (await server.json('/api/status')).models;
    assert.equal(model.state, 'waiting');
    assert.match(model.failure, /2 stages were asked for and there is 1 machine/);
  } finally {
    await server.stop();
  }
});

test('a cut connection is taken up where it broke', async () => {
  hub.faults.cuts = 2;
  const pulled = await pull();
  assert.equal(pulled.code, 0, pulled.stderr);
  assert.equal(hub.asked.length, 3);
  assert.deepEqual(hub.asked.map((from) => from > 0), [false, true, true]);
});

test('a file that is not the published one is not kept', async () => {
  hub.faults.sha256 = '0'.repeat(64);
  const pulled = await pull();
  assert.equal(pulled.code, 1);
  assert.match(pulled.stderr, /SHA-256|sha256|checksum/i);
  assert.deepEqual(filesHere().filter((name) => name.endsWith('.gguf')), []);
});

test('a repository for members says how to get in, and the token goes to the hub alone', async () => {
  hub.faults.token = 'hf_secret';
  const refused = await pull();
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /HF_TOKEN/);
  const pulled = await run(['models', 'pull', reference, '--data-dir', dir, '--hub-url', hub.url], { env: { HF_TOKEN: 'hf_secret' } });
  assert.equal(pulled.code, 0, pulled.stderr);
  assert.doesNotMatch(pulled.stdout + pulled.stderr, /hf_secret/);
  assert.deepEqual(hub.tokensAtStorage, []);
});

test('a file that is not there, and a hub that is not there, are one plain sentence', async () => {
  hub.faults.missing = true;
  const missing = await pull();
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /small\.gguf/);
  hub.stop();
  const gone = await pull();
  assert.equal(gone.code, 1);
  assert.equal(gone.stderr.trim().split('\n').length, 1, gone.stderr);
});
