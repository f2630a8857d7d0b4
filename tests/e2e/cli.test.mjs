import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { run, startServer, temporaryDirectory } from './lib/server.mjs';

let dir;
before(() => {
  dir = temporaryDirectory();
});
after(() => rmSync(dir, { recursive: true, force: true }));

const file = (name, content, mode = 0o600) => {
  const where = path.join(dir, name);
  writeFileSync(where, content, { mode });
  return where;
};
const data = () => ['--data-dir', path.join(dir, 'data')];

/** One plain sentence on stderr, with this exit code, and nothing of ours leaking. */
function assertRefused(result, code, mentions) {
  assert.ok([code].flat().includes(result.code), `exit code ${result.code}\n${result.stdout}\n${result.stderr}`);
  const lines = result.stderr.trim().split('\n').filter((l) => l.trim() !== '');
  assert.ok(lines.length >= 1 && lines.length <= 3, `one sentence, not ${lines.length} lines:\n${result.stderr}`);
  assert.doesNotMatch(result.stderr, /terminate called|Aborted|what\(\)|std::|\.cpp:\d+|core dumped/);
  for (const mention of [mentions].flat()) {
    assert.match(result.stderr, mention);
  }
}

test('help and version', async () => {
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /serve/);
  const version = await run(['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /\d+\.\d+\.\d+/);
});

test('unknown flags, verbs and values are wrong usage', async () => {
  assertRefused(await run(['serve', '--no-such-flag']), 2, /no-such-flag/);
  assertRefused(await run(['fly']), 2, /fly/);
  assertRefused(await run(['serve', ...data(), '--port', 'many']), 2, /port/);
  assertRefused(await run(['serve', ...data(), '--port', '70000']), 2, /port|70000/);
  assertRefused(await run(['serve', ...data(), '--log-format', 'xml']), 2, /log-format|xml/);
  assertRefused(await run(['models', 'eat']), 2, /eat/);
});

test('a model file that is not there, or is none', async () => {
  assertRefused(await run(['serve', ...data(), '--port', '0', '--model', path.join(dir, 'gone.gguf')]), 1, /gone\.gguf/);
  assertRefused(await run(['serve', ...data(), '--port', '0', '--model', file('text.gguf', 'this is no model')]), 1, [/text\.gguf/, /GGUF/i]);
  assertRefused(await run(['serve', ...data(), '--port', '0', '--model', file('empty.gguf', '')]), 1, /empty\.gguf/);
  mkdirSync(path.join(dir, 'folder.gguf'), { recursive: true });
  assertRefused(await run(['serve', ...data(), '--port', '0', '--model', path.join(dir, 'folder.gguf')]), 1, /folder\.gguf/);
  const header = Buffer.alloc(32);
  header.write('GGUF');
  header.writeUInt32LE(99, 4);
  assertRefused(await run(['serve', ...data(), '--port', '0', '--model', file('v99.gguf', header)]), 1, [/v99\.gguf/, /99|version/]);
  assertRefused(await run(['chat', 'Hi', ...data(), '--model', path.join(dir, 'gone.gguf')]), 1, /gone\.gguf/);
});

test('a port in use', async () => {
  const holder = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => holder.once('listening', resolve));
  const { port } = holder.address();
  assertRefused(await run(['serve', ...data(), '--port', String(port)]), 1, [new RegExp(String(port)), /in use/]);
  holder.close();
});

test('addresses that are none, and every address without a key', async () => {
  const none = await run(['serve', ...data(), '--port', '0', '--bind', 'no-address']);
  assert.ok([1, 2].includes(none.code), none.stderr);
  assert.match(none.stderr, /no-address/);
  const open = await run(['serve', ...data(), '--port', '0', '--bind', '0.0.0.0']);
  assert.ok([1, 2].includes(open.code), open.stderr);
  assert.match(open.stderr, /api-key-file/);
});

test('a data directory that cannot be written', async () => {
  assertRefused(await run(['serve', '--data-dir', path.join(file('a-file', 'x'), 'below'), '--port', '0']), 1, /a-file/);
  if (process.getuid() !== 0) {
    const locked = path.join(dir, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    assertRefused(await run(['serve', '--data-dir', path.join(locked, 'x'), '--port', '0']), 1, /locked/);
  }
});

test('a bad configuration is told with its line', async () => {
  const unknown = file('unknown.toml', '# a comment\n\nno_such_key = 1\n');
  assertRefused(await run(['serve', ...data(), '--config', unknown]), [1, 2], [/no_such_key/, /3/]);
  const broken = file('broken.toml', 'port = = 5\n');
  assertRefused(await run(['serve', ...data(), '--config', broken]), [1, 2], [/broken\.toml/, /1/]);
  assertRefused(await run(['serve', ...data(), '--config', path.join(dir, 'gone.toml')]), [1, 2], /gone\.toml/);
});

test('a key file that is not there, or is empty', async () => {
  assertRefused(await run(['serve', ...data(), '--port', '0', '--api-key-file', path.join(dir, 'gone.keys')]), [1, 2], /gone\.keys/);
  assertRefused(await run(['serve', ...data(), '--port', '0', '--api-key-file', file('empty.keys', '\n')]), [1, 2], /empty\.keys/);
});

test('chat answers one prompt and ends', async () => {
  const answer = await run(['chat', 'Hello!', '--max-tokens', '20', ...data()]);
  assert.equal(answer.code, 0, answer.stderr);
  assert.ok(answer.stdout.trim().length > 0);
});

test('chat uses the node that runs here', async () => {
  const server = await startServer();
  const answer = await run(['chat', 'Hello!', '--max-tokens', '8', '--data-dir', server.dataDir]);
  assert.equal(answer.code, 0, answer.stderr);
  const status = await server.json('/api/status');
  assert.equal(status.models[0].requests, 1, 'the running node was not asked');
  const told = await run(['status', '--json', '--data-dir', server.dataDir]);
  assert.equal(told.code, 0, told.stderr);
  assert.equal(JSON.parse(told.stdout).node_id, server.nodeId);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test('status without a node says so', async () => {
  const told = await run(['status', ...data()]);
  assert.equal(told.code, 1);
  assert.ok(told.stderr.trim().length > 0);
});

test('Ctrl-C and SIGTERM end a node cleanly', async () => {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    const server = await startServer();
    assert.deepEqual(await server.stop(signal), { code: 0, signal: null }, signal);
  }
});

test('a node keeps its id', async () => {
  const where = path.join(dir, 'kept');
  const ids = [];
  for (let i = 0; i < 2; ++i) {
    const server = await startServer({ args: ['--data-dir', where] }).catch(() => null);
    if (!server) {
      return; // a repeated --data-dir is refused by this command line
    }
    ids.push(server.nodeId);
    await server.stop();
  }
  assert.equal(ids[0], ids[1]);
});

test('models list and show know the built-in model', async () => {
  const list = await run(['models', 'list', ...data()]);
  assert.equal(list.code, 0, list.stderr);
  assert.match(list.stdout, /starter/);
  const show = await run(['models', 'show', 'starter', ...data()]);
  assert.equal(show.code, 0, show.stderr);
  assert.match(show.stdout, /llama|qwen/i);
  assertRefused(await run(['models', 'show', 'nothing-like-it', ...data()]), 1, /nothing-like-it/);
  assertRefused(await run(['models', 'rm', 'nothing-like-it', ...data()]), 1, /nothing-like-it/);
});

test('models slice cuts a model, and refuses what it must not do', async () => {
  const slice = (...args) => run(['models', 'slice', ...args, ...data()]);
  const part = path.join(dir, 'slice.gguf');
  const other = path.join(dir, 'other.gguf');
  const cut = await slice('starter', '--layers', '0:2', '-o', part);
  assert.equal(cut.code, 0, cut.stderr);
  assert.match(cut.stdout, /layers 0:2 of/);
  const show = await run(['models', 'show', part, ...data()]);
  assert.match(show.stdout, /slice +layers 0:2 of/);
  assertRefused(await slice('starter', '--layers', '0:2', '-o', part), 1, /there already/);
  assert.equal((await slice('starter', '--layers', '1:2', '-o', part, '--force')).code, 0);
  assertRefused(await slice(part, '--layers', '1:2', '-o', part, '--force'), 1, /the model itself/);
  assertRefused(await slice(part, '--layers', '0:1', '-o', other), 1, /no layers 0:1/);
  assertRefused(await slice('starter', '--layers', '0:999', '-o', other), 1, /no layers 0:999/);
  assertRefused(await slice('starter', '--layers', '2', '-o', other), 2, /0:8/);
});

test('doctor looks and ends', async () => {
  const told = await run(['doctor', ...data()]);
  assert.ok([0, 1].includes(told.code), told.stderr);
  assert.ok(told.stdout.length > 50);
});

test('a headless node has an API and no page', async () => {
  const server = await startServer({ args: ['--headless'] });
  assert.equal((await server.get('/')).status, 404);
  assert.equal((await server.get('/v1/models')).status, 200);
  await server.stop();
});

test('without a verb, a node is idle: well, but with nothing to answer', async () => {
  const server = await startServer({ verb: [] });
  assert.equal((await server.get('/health')).status, 200);
  assert.equal((await server.get('/')).status, 200);
  assert.deepEqual((await server.json('/v1/models')).data, []);
  const refused = await server.post('/v1/chat/completions', { messages: [{ role: 'user', content: 'Hello!' }] });
  assert.equal(refused.status, 503);
  assert.match((await refused.json()).error.message, /serve/);
  await server.stop();
});
