// A client and one worker, which is all there is: what happens when it is full, or gone for a while, or for good.
import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { ask, assertSameText, startMesh, story, tellAndAfter } from './lib/mesh.mjs';
import { eventually } from './lib/server.mjs';

const waitSeconds = 3;
let mesh, worker, client;
before(async () => {
  mesh = await startMesh({
    clients: 1,
    settings: { slots: 1, queue_limit: 1 },
    clientSettings: { worker_wait_s: waitSeconds },
  });
  [worker] = mesh.workers;
  [client] = mesh.clients;
});
after(() => mesh?.stop());
beforeEach(() => mesh.restore());

test('when it is full, the client is told to come back later', async () => {
  const leaving = new AbortController();
  setMaxListeners(0, leaving.signal);
  const flood = [1, 2, 3, 4].map((seed) =>
    client.client.chat.completions.create(story(1500, seed), { signal: leaving.signal }).catch(({ status }) => status));
  assert.ok(await eventually(async () => {
    const { busy, queued } = await worker.server.engine();
    return busy + queued === 2;
  }));
  const refused = await client.server.post('/v1/chat/completions', story(4));
  leaving.abort();
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  assert.equal((await refused.json()).error.code, 'queue_full');
  assert.ok((await Promise.all(flood)).every((status) => status === 429 || status === undefined));
});

test('it dies in mid-stream and comes back in time: the stream is completed', async () => {
  const body = story(900);
  const undisturbed = (await ask(worker, body)).text;
  let back;
  const told = await tellAndAfter(10, client, body, () => void (back = worker.kill().then(() => worker.start())));
  await back;
  assert.equal(told.error, null);
  assertSameText(told.text, undisturbed);
  assert.equal((await client.routing()).resumed, 1);
});

test('it dies in mid-stream and does not come back: the stream ends with how far it got', async () => {
  const { lost } = await client.routing();
  const told = await tellAndAfter(10, client, story(1500), () => void worker.kill());
  assert.match(told.error.message, /stopped after \d+ tokens/);
  assert.match(told.error.message, /worker1/);
  const tokens = Number(/after (\d+) tokens/.exec(told.error.message)[1]);
  assert.ok(tokens >= 10 && tokens < 1500, told.error.message);
  assert.ok(told.text.length > 0);
  assert.equal((await client.routing()).lost, lost + 1);
});

test('while there is none, a request waits so long and is then refused with a sentence', async () => {
  await worker.kill();
  assert.ok(await eventually(async () => !(await client.isConnectedTo(worker))));
  const began = performance.now();
  const refused = await client.server.post('/v1/chat/completions', story(4));
  const took = performance.now() - began;
  assert.equal(refused.status, 503);
  assert.ok(took >= waitSeconds * 1000 && took < waitSeconds * 1000 + 5000, `${took} ms`);
  assert.match((await refused.json()).error.message, /No node that serves 'starter'/);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
});

test('a request that waits is answered when a worker comes', async () => {
  await worker.kill();
  assert.ok(await eventually(async () => !(await client.isConnectedTo(worker))));
  const asked = ask(client, story(4));
  await worker.start();
  assert.equal((await asked).by, worker.id);
});
