// Many workers on one machine: the load is spread over all of them, and one that is overloaded does not hold the
// others' clients up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fill, smallSettings, startMesh, story, tell } from './lib/mesh.mjs';
import { user } from './lib/server.mjs';

const requests = 48;
const burst = 12;
const patience = { timeout: 180_000 };

const withMesh = async (workers, settings, use) => {
  const mesh = await startMesh({ workers, clients: 1, settings });
  try {
    return await use(mesh, mesh.clients[0]);
  } finally {
    await mesh.stop();
  }
};

/** Short answers to prompts that nobody has cached, in bursts: [{by, ms}]. */
async function load(client, count = requests, atATime = burst) {
  const answers = [];
  for (let sent = 0; sent < count; sent += atATime) {
    answers.push(...(await Promise.all(Array.from({ length: atATime }, async (_, i) => {
      const began = performance.now();
      const { by, error } = await tell(client, { ...story(8), messages: [user(`Story ${sent + i} of ${Math.random()}`)] });
      assert.equal(error, null);
      return { by, ms: performance.now() - began };
    }))));
  }
  return answers;
}

const p95 = (answers) => {
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  return times[Math.ceil(times.length * 0.95) - 1];
};

for (const workers of [3, 5, 10]) {
  test(`${workers} workers all get their share, and no client sees an error`, patience, () => withMesh(workers, {}, async (mesh, client) => {
    const answers = await load(client);
    const share = mesh.workers.map((node) => answers.filter(({ by }) => by === node.id).length);
    console.log(`${workers} workers: ${share.join(' ')} requests, p95 ${Math.round(p95(answers))} ms`);
    assert.equal(share.reduce((sum, one) => sum + one), requests);
    assert.ok(Math.min(...share) > 0, share.join(' '));
    assert.equal((await client.routing()).lost, 0);
  }));
}

test('one overloaded worker of three does not hold up those who are served by the others', patience, () =>
  withMesh(3, (n) => (n === 1 ? smallSettings : {}), async (mesh, client) => {
    const [overloaded] = mesh.workers;
    await load(client); // speeds are known from here on
    const usual = p95(await load(client, 24, 4));
    const release = await fill(overloaded);
    const answers = await load(client, 24, 4);
    await release();
    const others = answers.filter(({ by }) => by !== overloaded.id);
    console.log(`p95 ${Math.round(usual)} ms; with one of three overloaded ${Math.round(p95(others))} ms, ${others.length} of ${answers.length} by the others`);
    assert.ok(others.length >= answers.length / 2);
    // Behind the overloaded one they would wait for its 1,800 tokens; anything tighter would measure this machine.
    assert.ok(p95(others) <= 10 * usual + 1000, `${p95(others)} ms, without ${usual} ms`);
  }));
