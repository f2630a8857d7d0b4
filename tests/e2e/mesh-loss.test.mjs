// A worker is lost in the middle of an answer, in every way there is: the answer goes on, and nobody sees more than a
// pause. Three workers and a client with a round trip of 10 ms.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ask, assertSameText, startMesh, story, tell, tellAndAfter } from './lib/mesh.mjs';
import { startNetlab, whyNoNetlab } from './lib/netlab.mjs';
import { eventually, user } from './lib/server.mjs';

const needsNetlab = { skip: whyNoNetlab, timeout: 120_000 };
const longest = 900; // tokens: about a second, so that much is left when a worker goes after the first few
const afterPieces = 20;

let lab, mesh, client, undisturbed;
before(async () => {
  if (whyNoNetlab) return;
  lab = await startNetlab({ hosts: 4, delayMs: 5 });
  mesh = await startMesh({ workers: 3, clients: 1, lab });
  [client] = mesh.clients;
  undisturbed = (await ask(mesh.workers[0], story(longest))).text;
});
after(async () => {
  await mesh?.stop();
  await lab?.stop();
});
beforeEach(async () => {
  if (whyNoNetlab) return;
  for (const { host } of mesh.nodes) await lab.heal(host);
  await mesh.restore();
});

/** A story during which its worker is lost; checks that nothing shows but a pause, and gives what there is to know. */
async function storyWith(lose) {
  const earlier = await client.routing();
  let lost;
  const told = await tellAndAfter(afterPieces, client, story(longest), (by) => lose((lost = mesh.byId(by))));
  assert.equal(told.error, null);
  assert.equal(told.finish, 'length');
  assertSameText(told.text, undisturbed);
  const routing = await client.routing();
  assert.equal(routing.resumed, earlier.resumed + 1);
  assert.equal(routing.lost, 0);
  const decision = routing.recent.findLast(({ resumed_at }) => resumed_at !== undefined);
  assert.ok(decision.resumed_at >= afterPieces && decision.resumed_at < longest, `${decision.resumed_at}`);
  assert.notEqual(decision.node_id, lost.id);
  assert.match(decision.cause, new RegExp(`^${lost.name}: .`));
  console.log(`${lost.name} lost after ${decision.resumed_at} tokens: ${Math.round(told.longestPauseMs)} ms (${decision.cause})`);
  return { told, lost, decision };
}

/** New prompts, several at a time: nobody has them cached, and one worker would be slower than all. */
const servesAgain = (node) => eventually(async () => {
  const bodies = Array.from({ length: 6 }, () => ({ ...story(8), messages: [user(`Story ${Math.random()}`)] }));
  return (await Promise.all(bodies.map((body) => ask(client, body)))).some(({ by }) => by === node.id);
}, 20_000);

test('kill -9: another worker goes on with the same text', needsNetlab, async () => {
  const { told, lost } = await storyWith((worker) => void worker.kill());
  assert.ok(told.longestPauseMs < 6000, `${told.longestPauseMs} ms`);
  assert.ok(await eventually(async () => (await client.sees(lost)).state === 'dead', 20_000));
  assert.match(client.log(), /goes on after \d+ tokens/);
  await lost.start();
  await mesh.meet();
  assert.ok(await servesAgain(lost));
});

test('its link is cut: another worker goes on; when it heals, the worker is back', needsNetlab, async () => {
  const { told, lost } = await storyWith((worker) => lab.cut(worker.host));
  assert.ok(told.longestPauseMs < 6000, `${told.longestPauseMs} ms`);
  await lab.heal(lost.host);
  await mesh.meet();
  assert.ok(await servesAgain(lost));
});

test('the way between it and the client alone is cut: another worker goes on', needsNetlab, async () => {
  const { lost } = await storyWith((worker) => lab.cut(worker.host, client.host));
  assert.equal((await mesh.workers.find((node) => node !== lost).sees(lost)).state, 'alive');
  await lab.heal(lost.host, client.host);
});

test('it hangs: another worker goes on; when it wakes up, it is back', needsNetlab, async () => {
  const { told, lost } = await storyWith((worker) => void worker.signal('SIGSTOP'));
  assert.ok(told.longestPauseMs < 10_000, `${told.longestPauseMs} ms`);
  lost.signal('SIGCONT');
  await mesh.meet();
  assert.ok(await servesAgain(lost));
});

test('it stops by itself: the answer is completed, there or elsewhere, and it counts as left', needsNetlab, async () => {
  let left;
  const told = await tellAndAfter(afterPieces, client, story(longest), (by) => void (left = mesh.byId(by)).signal('SIGTERM'));
  assert.equal(told.error, null);
  assertSameText(told.text, undisturbed);
  assert.ok(await eventually(() => left.server.exit !== null, 20_000));
  assert.deepEqual(left.server.exit, { code: 0, signal: null });
  for (const node of mesh.nodes.filter((node) => node !== left)) {
    assert.ok(await eventually(async () => (await node.sees(left))?.state === 'left'), node.name);
  }
  await left.start();
});

test('two workers are lost, one after the other: the third goes on', needsNetlab, async () => {
  const lost = [];
  const lose = async (id) => {
    lost.push(mesh.byId(id));
    await lab.cut(lost.at(-1).host);
  };
  const serving = async () => (await client.routing()).recent.at(-1).node_id;
  const told = await tell(client, story(longest), async (by, count) => {
    if (count === afterPieces) await lose(by);
    if (count === longest / 2) await lose(await serving());
  });
  assert.equal(told.error, null);
  assertSameText(told.text, undisturbed);
  assert.equal(new Set(lost).size, 2);
  for (const node of lost) await lab.heal(node.host);
});

test('an answer in one piece goes on as well', needsNetlab, async () => {
  const answer = ask(client, story(longest));
  const busy = async () => {
    for (const worker of mesh.workers) if ((await worker.server.engine()).busy > 0) return worker;
  };
  let lost;
  assert.ok(await eventually(async () => (lost = await busy())));
  await lost.kill();
  const { text, by } = await answer;
  assertSameText(text, undisturbed);
  assert.ok(mesh.workers.some((node) => node.id === by && node !== lost), 'the one that has finished it is named');
  await lost.start();
});

test('many streams at once lose their worker: every one goes on', needsNetlab, async () => {
  let lost;
  const bodies = Array.from({ length: 9 }, (_, i) => story(200, i % 3));
  const expected = await Promise.all([0, 1, 2].map(async (seed) => (await ask(mesh.workers[0], story(200, seed))).text));
  const told = await Promise.all(bodies.map((body) => tell(client, body, (by, count) => {
    if (count === afterPieces && !lost) void (lost = mesh.byId(by)).kill();
  })));
  assert.deepEqual(told.map(({ error }) => error), bodies.map(() => null));
  told.forEach(({ text }, i) => assertSameText(text, expected[i % 3]));
  await lost.start();
});
