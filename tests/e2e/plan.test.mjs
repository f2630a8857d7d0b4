// Where a model would go, as `starling plan` and POST /api/plan say it, and where it is, as `starling status` says it:
// without a node, and in a mesh of three that have computed a model together.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync, closeSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask, startMesh, story } from './lib/mesh.mjs';
import { eventually, run, temporaryDirectory } from './lib/server.mjs';

const starter = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../models/starter.gguf');
const layers = 8;
let dir, shared, lonely, mesh;

/** One sentence on stderr and nothing on stdout. */
function assertRefused(result, ...mentions) {
  assert.equal(result.code, 1, result.stdout + result.stderr);
  assert.equal(result.stdout, '');
  assert.equal(result.stderr.trim().split('\n').length, 1, result.stderr);
  for (const mention of mentions) assert.match(result.stderr, mention);
}

/** Every layer once, in order. */
function assertCovers(stages) {
  assert.equal(stages[0].first_layer, 0);
  stages.slice(1).forEach(({ first_layer }, i) => assert.equal(first_layer, stages[i].last_layer + 1));
  assert.equal(stages.at(-1).last_layer, layers - 1);
}

before(async () => {
  dir = temporaryDirectory();
  // Files of one content under other names; and a model of which there is one copy.
  shared = path.join(dir, 'shared', 'tale.gguf');
  lonely = path.join(dir, 'lonely.gguf');
  const elsewhere = path.join(dir, 'elsewhere');
  mkdirSync(path.dirname(shared));
  mkdirSync(elsewhere);
  copyFileSync(starter, shared);
  copyFileSync(starter, path.join(elsewhere, 'another-name.gguf'));
  copyFileSync(starter, lonely);
  const file = openSync(lonely, 'r+');
  const last = statSync(lonely).size - 1;
  writeSync(file, Buffer.from([readFileSync(lonely)[last] ^ 1]), 0, 1, last);
  closeSync(file);
  mesh = await startMesh({
    workers: 3,
    settings: (number) => ({
      memory: '60M',
      ctx: 256,
      slots: 2,
      ...(number === 1 ? { models: [shared], split: '3' } : { model_dirs: [elsewhere] }),
    }),
  });
  const isServed = async () => (await mesh.workers[1].json('/api/deployments')).some(({ model, state }) => model === 'tale' && state === 'serving');
  assert.ok(await eventually(isServed, 60_000), mesh.workers[0].log());
});
after(async () => {
  await mesh?.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('without a node, the plan is for this machine alone', async () => {
  const dataDir = path.join(dir, 'alone');
  mkdirSync(dataDir);
  const planned = await run(['plan', 'starter', '--ctx', '512', '--slots', '2', '--data-dir', dataDir]);
  assert.equal(planned.code, 0, planned.stderr);
  assert.match(planned.stdout, /^stage +machine +layers/);
  assert.match(planned.stdout, / 0-7 /);
  assert.match(planned.stdout, /2 streams/);
  assert.match(planned.stderr, /this machine alone/);

  const json = await run(['plan', shared, '--json', '--data-dir', dataDir]);
  const { model, stages, reason, table, tokens_per_s } = JSON.parse(json.stdout);
  assert.deepEqual([model, stages.length, stages[0].node_id], ['tale', 1, null]);
  assertCovers(stages);
  assert.ok(stages[0].memory_bytes > 7e6 && tokens_per_s > 0 && table.includes(reason));

  assertRefused(await run(['plan', 'starter', '--split', '3', '--data-dir', dataDir]), /3 stages/, /1 machine/, /No node is running/);
  assertRefused(await run(['plan', path.join(dir, 'none.gguf'), '--data-dir', dataDir]), /none\.gguf/);
  writeFileSync(path.join(dataDir, 'config.toml'), 'memory = "8M"\nname = "small"\n');
  assertRefused(await run(['plan', 'starter', '--data-dir', dataDir]), /needs \d/, /small 8\.0 MB/);
  const tooMuch = ['--ctx', '16777216', '--slots', '256']; // measuring that would take all memory
  assertRefused(await run(['plan', 'starter', ...tooMuch, '--data-dir', dataDir]), /256 x 16777216/);
  assert.equal((await run(['plan', 'starter', '--split', 'maybe', '--data-dir', dataDir])).code, 2);
});

test('a node plans with the machines of its mesh that have the file', async () => {
  const [first, second, third] = mesh.workers;
  const planned = await second.run('plan', 'starter', '--split', '3', '--ctx', '128', '--slots', '1', '--json');
  assert.equal(planned.code, 0, planned.stderr);
  const { stages } = JSON.parse(planned.stdout);
  assertCovers(stages);
  assert.deepEqual(new Set(stages.map(({ node_id }) => node_id)), new Set([first.id, second.id, third.id]));
  assert.equal(stages.at(-1).node_id, second.id, 'who is asked coordinates');
  assert.ok(stages.every(({ name }) => /^worker[123]$/.test(name)));

  const table = await second.run('plan', 'starter');
  assert.match(table.stdout, /worker2 +0-7 /, 'it fits there, and was to be split only if it did not');

  assertRefused(await second.run('plan', lonely, '--split', '3'), /worker1/, /worker3/, /file is not there/);
  assertRefused(await second.run('plan', 'starter', '--ctx', '100000'), /needs/, /worker1/, /worker2/, /worker3/);
  assertRefused(await second.run('plan', 'nothing-like-it'), /nothing-like-it/);
  for (const name of ['tale', 'another-name']) { // as the mesh calls it, and as its file is called here
    const named = await second.run('plan', name, '--split', '2', '--json');
    assert.equal(named.code, 0, named.stderr);
    const { model, stages: parts } = JSON.parse(named.stdout);
    assert.deepEqual([model, parts.length], [name, 2]);
  }
  const unserved = await second.run('chat', '--model', 'nothing-like-it', 'Hi');
  assertRefused(unserved, /nothing-like-it/, /starling status/);
});

test('of a model that is served, the plan says what would stay', async () => {
  const planned = await mesh.workers[0].run('plan', 'tale');
  assert.equal(planned.code, 0, planned.stderr);
  assert.equal(planned.stdout.match(/loaded$/gm)?.length, 3, planned.stdout);
  assert.equal((await mesh.workers[0].run('plan', shared)).stdout.match(/loaded$/gm)?.length, 3);
});

test('a plan is for those who may read the data directory', async () => {
  const { server, json } = mesh.workers[0];
  assert.equal((await server.post('/api/plan', { model: 'starter' })).status, 401);
  const { control_token } = JSON.parse(readFileSync(path.join(server.dataDir, 'node.json'), 'utf8'));
  const post = (body) => server.post('/api/plan', body, { authorization: `Bearer ${control_token}` });
  assert.equal((await (await post({ model: 'starter', split: 2 })).json()).stages.length, 2);
  const refusals = { 400: [{}, { model: 'starter', split: 'maybe' }, { model: 'https://a/b' }], 404: [{ model: '/none.gguf' }, { model: 'none' }], 503: [{ model: 'starter', split: 8 }] };
  for (const [status, bodies] of Object.entries(refusals)) {
    for (const body of bodies) {
      const answer = await post(body);
      assert.equal(answer.status, Number(status), JSON.stringify(body));
      assert.ok((await answer.json()).error.message.length > 10);
    }
  }
  assert.ok(await json('/api/status'), 'it still serves');
});

test('status and /api/deployments tell who computes what, at every node alike', async () => {
  const [first, second] = mesh.workers;
  await ask(first, { ...story(30), model: 'tale' });
  const told = async (node) => (await node.json('/api/deployments')).find(({ model }) => model === 'tale');
  const isKnown = async () => (await told(second)).stages.slice(0, -1).every(({ ms_per_token }) => ms_per_token > 0);
  assert.ok(await eventually(isKnown, 30_000), JSON.stringify(await told(second)));
  for (const node of [first, second]) {
    const one = await told(node);
    assert.deepEqual([one.coordinator, one.state, one.stages.length], [first.id, 'serving', 3]);
    assert.match(one.reason, /3 stages were asked for/);
    assertCovers(one.stages);
    for (const stage of one.stages) {
      assert.equal(mesh.byId(stage.node_id).name, stage.name);
      assert.ok(stage.memory_bytes > 0 && stage.state === 'ready', JSON.stringify(stage));
    }
  }
  const shown = await second.run('status');
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^split +tale +serving +coordinated by worker1$/m);
  for (const name of ['worker1', 'worker2', 'worker3']) {
    assert.match(shown.stdout, new RegExp(`^ +${name} +[0-9a-f]{8} +layers +\\d to +\\d +[\\d.]+ MB .*ready$`, 'm'));
  }
  assert.match(await (await first.server.get('/metrics')).text(), /starling_stage_bytes_total\{direction="sent"\} [1-9]/);
});
