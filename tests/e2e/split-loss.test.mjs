// A machine of a split model is lost in the middle of an answer, in every way there is: the answer goes on with the same
// text, and nobody sees more than a pause. Four workers, of which three are needed, and a client, 5 ms apart.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ask, assertSameText, story, tell, tellAndAfter } from './lib/mesh.mjs';
import { startNetlab, whyNoNetlab } from './lib/netlab.mjs';
import { eventually } from './lib/server.mjs';
import { deployed, deployment, join, stageNodes, startSplit } from './lib/split.mjs';

const needsNetlab = { skip: whyNoNetlab, timeout: 120_000 };
const length = 300; // tokens: seconds, so that much is left when a node goes after the first few
const afterPieces = 20;
const longestPauseMs = 10_000; // sanitizer builds are slow; the bench has the real bar
const settings = { activations: 'f32', worker_wait_s: 5 };

let lab, mesh, client, undisturbed;
before(async () => {
  if (whyNoNetlab) return;
  lab = await startNetlab({ hosts: 6, delayMs: 2.5 });
  mesh = await startSplit({ stages: 3, workers: 4, clients: 1, lab, settings, clientSettings: { worker_wait_s: 5 } });
  [client] = mesh.clients;
  undisturbed = (await ask(client, story(length))).text;
});
after(async () => {
  await mesh?.stop();
  await lab?.stop();
});
beforeEach(async () => {
  if (whyNoNetlab) return;
  for (const { host } of mesh.nodes) await lab.heal(host);
  await mesh.whole();
});

/** Tells the story, while `lose` happens to one of the nodes after some pieces; the text must be as undisturbed. */
async function storyWith(lose, { at = client } = {}) {
  const told = await tellAndAfter(afterPieces, at, story(length), lose);
  assert.equal(told.error, null);
  assert.equal(told.finish, 'length');
  assertSameText(told.text, undisturbed);
  assert.ok(told.longestPauseMs < longestPauseMs, `${told.longestPauseMs} ms`);
  return told;
}

const spare = () => mesh.workers.find(({ id }) => !mesh.deployment.stages.some(({ node_id }) => node_id === id));

for (const [part, place] of [['first', 0], ['second', 1]]) {
  test(`kill -9 of the ${part} stage: the answer goes on, the spare takes its layers`, needsNetlab, async () => {
    const lost = stageNodes(mesh, mesh.deployment)[place];
    const earlier = mesh.deployment;
    const { longestPauseMs: pause, moves } = await storyWith(() => void lost.kill());
    console.log(`${part} stage killed: ${Math.round(pause)} ms`);
    assert.equal(moves.length, 1, JSON.stringify(moves));
    assert.ok(moves[0].after >= afterPieces && moves[0].after < length, JSON.stringify(moves));
    assert.ok(mesh.workers.some(({ id, name }) => id === moves[0].moved_to.node_id && name === moves[0].moved_to.name && id !== lost.id));
    assert.match(moves[0].cause, new RegExp(`^${lost.name}\\b.*: .`));
    const others = mesh.nodes.filter((node) => node !== lost);
    const now = await deployed(others, { stages: 3, without: [lost] });
    assert.ok(now.coordinator !== earlier.coordinator || now.epoch > earlier.epoch, `${JSON.stringify(now)}`);
    assertSameText((await ask(client, story(length))).text, undisturbed);
  });
}

test('kill -9 of the coordinator: the answer that was asked for elsewhere goes on', needsNetlab, async () => {
  const lost = stageNodes(mesh, mesh.deployment).at(-1);
  const { longestPauseMs: pause } = await storyWith(() => void lost.kill());
  console.log(`coordinator killed: ${Math.round(pause)} ms`);
  const now = await deployed(mesh.nodes.filter((node) => node !== lost), { stages: 3, without: [lost] });
  assert.notEqual(now.coordinator, lost.id);
});

test('several streams at once lose a stage: every one goes on', needsNetlab, async () => {
  const bodies = Array.from({ length: 4 }, (_, i) => story(80, i));
  const expected = [];
  for (const body of bodies) expected.push((await ask(client, body)).text);
  const [lost] = stageNodes(mesh, mesh.deployment);
  let gone;
  const told = await Promise.all(bodies.map((body) => tell(client, body, (by, count) => {
    if (count === afterPieces) gone ??= lost.kill();
  })));
  assert.deepEqual(told.map(({ error }) => error), bodies.map(() => null));
  const same = told.filter(({ text }, i) => text === expected[i]).length;
  assert.ok(same >= 3, `${same} of 4 are the same`); // who else is in a step may change the last bit of a sum
});

test('a stage is cut off the network for 3 s: the answer goes on; when it heals, the node is back', needsNetlab, async () => {
  const lost = stageNodes(mesh, mesh.deployment)[1];
  await storyWith(async () => {
    await lab.cut(lost.host);
    setTimeout(() => void lab.heal(lost.host), 3000);
  });
  await mesh.meet();
  await deployed(mesh.nodes, { stages: 3 });
});

test('the way between two stages alone is cut: the answer goes on', needsNetlab, async () => {
  const [first, second] = stageNodes(mesh, mesh.deployment);
  await storyWith(() => lab.cut(first.host, second.host));
  await lab.heal(first.host, second.host);
});

test('a stage hangs: the answer goes on', needsNetlab, async () => {
  const lost = stageNodes(mesh, mesh.deployment)[0];
  await storyWith(() => void lost.signal('SIGSTOP'));
  lost.signal('SIGCONT');
});

for (const [who, place] of [['a stage', 0], ['the coordinator', 2]]) {
  test(`${who} stops by itself: the answer is completed, and the node ends well`, needsNetlab, async () => {
    const left = stageNodes(mesh, mesh.deployment)[place];
    let ended;
    const story = storyWith(() => {
      left.signal('SIGTERM');
      ended = eventually(() => left.server.exit !== null, 30_000);
    });
    await story.finally(() => ended);
    assert.deepEqual(left.server.exit, { code: 0, signal: null });
  });
}

test('not enough nodes are left: an error that says so; the deployment comes back with a node', needsNetlab, async () => {
  const [first, second] = stageNodes(mesh, mesh.deployment);
  const unneeded = spare();
  await unneeded.kill();
  const told = await tellAndAfter(afterPieces, client, story(length), () => void second.kill());
  assert.notEqual(told.error, null, `it went on: ${told.text.length} characters, ${told.finish}`);
  assert.match(told.error.message, /node|machine|memory|fit|lost/i);
  assert.equal(undisturbed.startsWith(told.text), true, 'what was said before the error was right');
  const left = mesh.nodes.filter((node) => node !== second && node !== unneeded);
  const answer = await first.server.post('/v1/chat/completions', story(4));
  assert.equal(answer.status, 503);
  assert.notEqual((await deployment(first))?.state, 'serving');
  await second.start();
  await deployed([...left, second], { stages: 3 });
  assertSameText((await ask(client, story(length))).text, undisturbed);
});

test('a node that joins while an answer is given does not disturb it, and takes layers when they are lost', needsNetlab, async () => {
  await spare().kill();
  let joined;
  await storyWith(() => {
    joined = join(mesh, { name: 'worker5', settings: { threads: 1, slots: 4, split: '3', ...settings }, lab, host: 6 });
  });
  const added = await joined;
  const others = mesh.nodes.filter((node) => !node.server.exit);
  await mesh.meet(others);
  const lost = stageNodes(mesh, mesh.deployment)[0];
  await storyWith(() => void lost.kill());
  const now = await deployed(others.filter((node) => node !== lost), { stages: 3, without: [lost] });
  assert.ok(now.stages.some(({ node_id }) => node_id === added.id));
});
