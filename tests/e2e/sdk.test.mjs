// The client library, as the example program that is built with it: a real node, a real program of somebody else's.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { binary, eventually, startServer, user } from './lib/server.mjs';

const example = path.join(path.dirname(binary), 'examples/example_chat');
const key = 'sk-right-and-long-enough-0123456789';
const prompt = 'Tell me a story about a lighthouse.';
let server;
before(async () => {
  server = await startServer({ apiKey: key });
});
after(() => server?.stop());

function start(args, apiKey = key) {
  const env = { ...process.env, STARLING_API_KEY: apiKey };
  const child = spawn(example, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const running = { child, stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (running.stdout += data));
  child.stderr.on('data', (data) => (running.stderr += data));
  running.ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  return running;
}

const busy = async () => {
  const status = await server.get('/api/status', { headers: { authorization: `Bearer ${key}` } });
  return (await status.json()).engine.busy;
};

test('the example says what the API says', async () => {
  const answer = await server.client.chat.completions.create({ model: 'starter', messages: [user(prompt)], temperature: 0 });
  const running = start([server.url, prompt]);
  assert.deepEqual(await running.ended, { code: 0, signal: null }, running.stderr);
  assert.equal(running.stdout, answer.choices[0].message.content + '\n');
  assert.match(running.stderr, /^model starter, \d+ tokens$/m);
  assert.match(running.stderr, new RegExp(`^served by ${server.nodeId}$`, 'm'));
});

test('stopping it frees the slot', async () => {
  // Five of them: a story of the starter is short, and one may be over before the stop comes.
  const stopped = [];
  for (let i = 0; i < 5; ++i) {
    const running = start([server.url, prompt]);
    running.child.stdout.once('data', () => running.child.kill('SIGINT'));
    const { code } = await running.ended;
    stopped.push(code === 1 && /stopped/.test(running.stderr));
    assert.ok(await eventually(async () => (await busy()) === 0), 'the slot is still busy');
  }
  assert.ok(stopped.some(Boolean), 'no answer was stopped before its end');
});

test('nobody there, a wrong key, and what is no node: exit 1 and one sentence', async () => {
  for (const [url, apiKey, words] of [
    ['http://127.0.0.1:1', key, /cannot be reached/],
    ['not a url', key, /http:\/\//],
    [`${server.url}/elsewhere`, key, /no Starling node/],
    [server.url, 'wrong', /key/],
    [server.url, '', /key/],
  ]) {
    const running = start([url, prompt], apiKey);
    assert.equal((await running.ended).code, 1, url);
    assert.equal(running.stdout, '');
    assert.match(running.stderr, words);
    assert.equal(running.stderr.trim().split('\n').length, 1, running.stderr);
    assert.doesNotMatch(running.stderr, new RegExp(key));
  }
});

test('without arguments it says how it is used', async () => {
  const running = start([]);
  assert.equal((await running.ended).code, 2);
  assert.match(running.stderr, /^usage:/);
});
