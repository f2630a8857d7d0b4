// Three workers and a client on a network with a round trip of 10 ms: they find each other and answer as one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, startMesh, story, tell } from './lib/mesh.mjs';
import { startNetlab, whyNoNetlab } from './lib/netlab.mjs';
import { user } from './lib/server.mjs';

const needsNetlab = { skip: whyNoNetlab, timeout: 120_000 };
const roundTripMs = 10;

let lab, mesh, client, workers;
before(async () => {
  if (whyNoNetlab) return;
  lab = await startNetlab({ hosts: 4, delayMs: roundTripMs / 2 });
  mesh = await startMesh({ workers: 3, clients: 1, lab });
  [client] = mesh.clients;
  workers = mesh.workers;
});
after(async () => {
  await mesh?.stop();
  await lab?.stop();
});

const isWorker = (id) => workers.some((node) => node.id === id);

test('everyone sees everyone, with role, round trip and health', needsNetlab, async () => {
  for (const node of mesh.nodes) {
    const seen = await node.json('/api/peers');
    assert.deepEqual(seen.map(({ name }) => name).sort(), ['client1', 'worker1', 'worker2', 'worker3'], node.name);
    for (const peer of seen.filter(({ node_id }) => node_id !== node.id)) {
      assert.equal(peer.role, peer.name.slice(0, -1));
      assert.equal(peer.state, 'alive');
      assert.equal(peer.path, 'direct');
      assert.ok(peer.rtt_ms >= roundTripMs, `${peer.rtt_ms} ms`);
      assert.ok(peer.health.score >= 0 && peer.health.score <= 100);
      assert.deepEqual(peer.models, peer.role === 'worker' ? ['starter'] : []);
    }
  }
});

test('all are in one mesh', needsNetlab, async () => {
  const ids = await Promise.all(mesh.nodes.map(async (node) => (await node.status()).mesh_id));
  assert.match(ids[0], /^[0-9a-f]{64}$/);
  assert.deepEqual(ids, ids.map(() => ids[0]));
  const { peers, role, models } = await client.status();
  assert.deepEqual(peers, { alive: 3, known: 3 });
  assert.equal(role, 'client');
  assert.deepEqual(models, []);
});

test('the client lists what the workers serve, and is healthy', needsNetlab, async () => {
  assert.deepEqual((await client.client.models.list()).data.map(({ id }) => id), ['starter']);
  assert.equal((await client.client.models.retrieve('starter')).id, 'starter');
  assert.equal((await client.server.get('/health')).status, 200);
});

test('an answer through the client is a worker\'s own, and says which', needsNetlab, async () => {
  for (const settings of [{ temperature: 0 }, { temperature: 0.8, seed: 42 }]) {
    const body = { model: 'starter', messages: [user('What is the capital of France?')], max_tokens: 32, ...settings };
    const through = await ask(client, body);
    assert.ok(isWorker(through.by), through.by);
    const direct = await ask(mesh.byId(through.by), body);
    assert.equal(through.text, direct.text);
    assert.deepEqual({ ...through.usage, prompt_tokens_details: null }, { ...direct.usage, prompt_tokens_details: null });
  }
});

test('a stream through the client adds up to the answer', needsNetlab, async () => {
  const body = story(60);
  const told = await tell(client, body);
  assert.ok(isWorker(told.by), told.by);
  assert.equal(told.error, null);
  assert.equal(told.finish, 'length');
  assert.equal(told.text, (await ask(workers[0], body)).text);
});

test('tools, schemas and log probabilities come through', needsNetlab, async () => {
  const schema = { type: 'object', properties: { a: { type: 'boolean' } }, required: ['a'], additionalProperties: false };
  const formed = await ask(client, {
    model: 'starter', messages: [user('Hello!')], max_tokens: 100,
    response_format: { type: 'json_schema', json_schema: { name: 's', schema } },
  });
  assert.equal(typeof JSON.parse(formed.text).a, 'boolean');
  const body = { ...story(4), temperature: 0, logprobs: true, top_logprobs: 2 };
  const weighed = await client.client.chat.completions.create(body);
  assert.equal(weighed.choices[0].logprobs.content.length, 4);
  assert.equal(weighed.choices[0].logprobs.content[0].top_logprobs.length, 2);
});

test('embeddings and text completions come through', needsNetlab, async () => {
  const input = ['a lighthouse', 'the sea'];
  const through = await client.client.embeddings.create({ model: 'starter', input });
  const direct = await workers[0].client.embeddings.create({ model: 'starter', input });
  assert.deepEqual(through.data, direct.data);
  const completed = await client.client.completions.create({ model: 'starter', prompt: 'Once', max_tokens: 8 });
  assert.ok(completed.choices[0].text.length > 0);
});

test('what the request is to blame for is said as by the worker itself', needsNetlab, async () => {
  const tooLong = { model: 'starter', messages: [user('word '.repeat(20_000))] };
  const answers = await Promise.all([client, workers[0]].map((node) => node.server.post('/v1/chat/completions', tooLong)));
  assert.deepEqual(answers.map(({ status }) => status), [400, 400]);
  const [through, direct] = await Promise.all(answers.map((answer) => answer.json()));
  assert.deepEqual(through, direct);
  const unknown = await client.server.post('/v1/chat/completions', { ...story(4), model: 'nobody-has-it' });
  assert.equal(unknown.status, 404);
  assert.equal((await unknown.json()).error.code, 'model_not_found');
});

test('requests are routed with a reason, and counted', needsNetlab, async () => {
  const earlier = await client.routing();
  const { by } = await ask(client, story(4));
  const routing = await client.routing();
  assert.equal(routing.to_peers, earlier.to_peers + 1);
  assert.equal(routing.here, 0);
  assert.equal(routing.recent.at(-1).node_id, by);
  assert.ok(routing.recent.at(-1).reason.length > 0);
  assert.match(await (await client.server.get('/metrics')).text(), /^starling_peers\{state="alive"\} 3$/m);
});

test('a worker serves its own clients too', needsNetlab, async () => {
  const answers = await Promise.all(workers.map((node) => ask(node, story(8))));
  assert.deepEqual(new Set(answers.map(({ text }) => text)).size, 1);
  assert.ok(answers.every(({ by }) => isWorker(by)));
});
