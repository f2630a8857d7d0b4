// The starter cut by layers over several nodes answers as the whole model does, whatever is asked of it and wherever.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, assertSameText, story, tell } from './lib/mesh.mjs';
import { eventually, user } from './lib/server.mjs';
import { counter, deployment, greedy, layersOfStarter, models, startAlone, startSplit, textOf } from './lib/split.mjs';

const patient = { timeout: 120_000 };

let alone;
before(async () => (alone = await startAlone()));
after(() => alone?.stop());

for (const stages of [2, 3, 4]) {
  describe(`over ${stages} nodes`, () => {
    let mesh;
    before(async () => (mesh = await startSplit({ stages, settings: { activations: 'f32' } })));
    after(() => mesh?.stop());

    test('each layer is at one node, and every node tells the same', patient, async () => {
      await ask(mesh.nodes[0], story(20));
      const isKnown = async (node) => (await deployment(node)).stages.every(({ state, memory_bytes, ms_per_token }) => state === 'ready' && memory_bytes && ms_per_token);
      for (const node of mesh.nodes) assert.ok(await eventually(() => isKnown(node)), JSON.stringify(await deployment(node)));
      for (const node of mesh.nodes) {
        const all = await node.json('/api/deployments');
        assert.equal(all.length, 1, node.name);
        const [{ model, coordinator, epoch, stages: parts, reason }] = all;
        assert.equal(model, 'starter');
        assert.deepEqual(parts.map(({ node_id }) => node_id), mesh.deployment.stages.map(({ node_id }) => node_id), node.name);
        assert.equal(new Set(parts.map(({ node_id }) => node_id)).size, stages);
        assert.equal(parts.at(-1).node_id, coordinator);
        assert.equal(epoch, mesh.deployment.epoch);
        assert.equal(typeof reason, 'string');
        let next = 0;
        for (const { first_layer, last_layer, memory_bytes, ms_per_token } of parts) {
          assert.equal(first_layer, next);
          assert.ok(last_layer >= first_layer);
          assert.ok(memory_bytes > 0 && memory_bytes < 1e9, `${memory_bytes}`);
          assert.ok(ms_per_token > 0 && ms_per_token < 1000, `${ms_per_token}`);
          next = last_layer + 1;
        }
        assert.equal(next, layersOfStarter);
      }
    });

    test('every node gives the text of the whole model, and names the coordinator', patient, async () => {
      const expected = await Promise.all(greedy.map((body) => textOf(alone.client, body)));
      for (const node of mesh.nodes) {
        const answers = await Promise.all(greedy.map((body) => ask(node, body)));
        answers.forEach(({ text, by }, i) => {
          assertSameText(text, expected[i]);
          assert.equal(by, mesh.deployment.coordinator);
        });
      }
    });
  });
}

describe('over 3 nodes, with a client', () => {
  let mesh, client, openai;
  before(async () => {
    mesh = await startSplit({ stages: 3, clients: 1 });
    [client] = mesh.clients;
    openai = client.client;
  });
  after(() => mesh?.stop());

  const chat = (more) => openai.chat.completions.create({ model: 'starter', messages: [user('Hello!')], ...more });
  const busy = async () => (await mesh.byId(mesh.deployment.coordinator).server.engine()).busy;

  test('the model is listed, and the nodes are healthy', patient, async () => {
    for (const node of mesh.nodes) {
      assert.deepEqual((await node.client.models.list()).data.map(({ id }) => id), ['starter'], node.name);
      assert.equal((await node.server.get('/health')).status, 200, node.name);
    }
  });

  test('a stream adds up to the answer, with usage at its end', patient, async () => {
    const body = story(60);
    const told = await tell(client, body);
    assert.equal(told.error, null);
    assert.equal(told.by, mesh.deployment.coordinator);
    assert.equal(told.finish, 'length');
    const whole = await ask(client, body);
    assertSameText(told.text, whole.text);
    assert.equal(whole.usage.completion_tokens, 60);
    const chunks = [];
    for await (const chunk of await chat({ max_tokens: 8, stream: true, stream_options: { include_usage: true } })) chunks.push(chunk);
    assert.equal(chunks.at(-1).usage.completion_tokens <= 8, true);
  });

  test('a tool is called with arguments that follow its schema', patient, async () => {
    const parameters = { type: 'object', properties: { city: { type: 'string', maxLength: 20 } }, required: ['city'], additionalProperties: false };
    const weather = { type: 'function', function: { name: 'get_weather', description: 'The weather of a city.', parameters } };
    const answer = await chat({ messages: [user('What is the weather in Paris?')], tools: [weather], tool_choice: 'required', max_tokens: 200, temperature: 0 });
    const [choice] = answer.choices;
    assert.equal(choice.finish_reason, 'tool_calls');
    assert.equal(choice.message.tool_calls[0].function.name, 'get_weather');
    assert.equal(typeof JSON.parse(choice.message.tool_calls[0].function.arguments).city, 'string');
  });

  test('an answer follows a JSON schema', patient, async () => {
    const schema = { type: 'object', properties: { a: { type: 'boolean' } }, required: ['a'], additionalProperties: false };
    const answer = await chat({ max_tokens: 100, response_format: { type: 'json_schema', json_schema: { name: 's', schema } } });
    assert.equal(typeof JSON.parse(answer.choices[0].message.content).a, 'boolean');
  });

  test('log probabilities are those of the whole model, but for the rounding of what is sent', patient, async () => {
    // One token: where two are nearly as likely, the rounding may choose, and what follows is another text.
    const body = { model: 'starter', messages: [user('Hello!')], max_tokens: 1, temperature: 0, logprobs: true };
    const [split, whole] = (await Promise.all([[openai, 3], [alone.client, 8]].map(([one, top_logprobs]) => one.chat.completions.create({ ...body, top_logprobs }))))
      .map((answer) => answer.choices[0].logprobs.content[0].top_logprobs);
    assert.equal(split.length, 3);
    for (const { token, logprob } of split) {
      const same = whole.find((one) => one.token === token);
      assert.ok(same && Math.abs(logprob - same.logprob) < 0.1, `${token}: ${logprob}, ${same?.logprob}`);
    }
  });

  test('n choices are drawn side by side and differ by their seeds', patient, async () => {
    const settings = { max_tokens: 16, temperature: 1.0, seed: 100, messages: [user('Tell me a story.')] };
    const { choices } = await chat({ ...settings, n: 3 });
    assert.deepEqual(choices.map(({ index }) => index), [0, 1, 2]);
    assert.equal(new Set(choices.map(({ message }) => message.content)).size, 3);
    assert.equal((await chat({ ...settings, seed: 101 })).choices[0].message.content, choices[1].message.content);
  });

  test('a stop string ends the answer and is not part of it', patient, async () => {
    const settings = { max_tokens: 60, temperature: 0, messages: [user('Tell me a story about a lighthouse.')] };
    const full = (await chat(settings)).choices[0].message.content;
    const at = Math.min(12, full.length - 4);
    const stop = full.slice(at, at + 3);
    const cut = (await chat({ ...settings, stop })).choices[0];
    assert.equal(cut.message.content, full.slice(0, full.indexOf(stop)));
    assert.equal(cut.finish_reason, 'stop');
  });

  test('text completions and embeddings come through', patient, async () => {
    const completed = await openai.completions.create({ model: 'starter', prompt: 'Once', max_tokens: 8 });
    assert.ok(completed.choices[0].text.length > 0);
    const input = ['a lighthouse', 'the sea', `a long one: ${'waves and wind, '.repeat(60)}`];
    const [split, whole] = (await Promise.all([openai, alone.client].map((one) => one.embeddings.create({ model: 'starter', input })))).map(({ data }) => data);
    assert.deepEqual(split.map(({ embedding }) => embedding.length), whole.map(({ embedding }) => embedding.length));
    const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    split.forEach(({ embedding: a }, i) => {
      const { embedding: b } = whole[i];
      const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
      assert.ok(cosine > 0.999, `${input[i].slice(0, 20)}: ${cosine}`);
    });
  });

  test('8 clients at once each get the answer that they get alone', patient, async () => {
    const bodies = Array.from({ length: 8 }, (_, i) => ({ ...story(40, i), messages: [user(`Tell me a story about number ${i}.`)] }));
    const one = [];
    for (const body of bodies) one.push((await ask(client, body)).text);
    const together = await Promise.all(bodies.map((body) => tell(client, body)));
    together.forEach(({ error, finish }) => assert.deepEqual({ error, finish }, { error: null, finish: 'length' }));
    // Who else is in a step may change the last bit of a sum, and with it a token: rarely.
    const same = together.filter(({ text }, i) => text === one[i]).length;
    assert.ok(same >= 6, `${same} of 8 are the same`);
  });

  test('a prompt that was just seen is not computed again', patient, async () => {
    const messages = [user('Please remember this sentence about a lighthouse on a cliff. '.repeat(6))];
    await chat({ messages, max_tokens: 4 });
    const { usage } = await chat({ messages, max_tokens: 4 });
    assert.ok(usage.prompt_tokens_details.cached_tokens > usage.prompt_tokens / 2, JSON.stringify(usage));
  });

  test('leaving in mid-stream frees the slot, and others go on', patient, async () => {
    const stream = await chat({ messages: [user('Tell me a story.')], max_tokens: 1500, stream: true, ignore_eos: true });
    const other = tell(client, story(200));
    for await (const chunk of stream) {
      if (!chunk.choices[0]?.delta?.content) continue;
      assert.ok(await eventually(async () => (await busy()) >= 1));
      stream.controller.abort();
      break;
    }
    assert.equal((await other).error, null);
    assert.ok(await eventually(async () => (await busy()) === 0), 'the stages go on for nobody');
  });

  test('what the request is to blame for is said as by the whole model', patient, async () => {
    const tooLong = { model: 'starter', messages: [user('word '.repeat(20_000))] };
    const answers = await Promise.all([client.server, alone].map((one) => one.post('/v1/chat/completions', tooLong)));
    assert.deepEqual(answers.map(({ status }) => status), [400, 400]);
    const [split, whole] = await Promise.all(answers.map((answer) => answer.json()));
    assert.equal(split.error.code, whole.error.code);
  });

  test('a client that has no model tells of the deployment too', patient, async () => {
    assert.equal((await deployment(client)).coordinator, mesh.deployment.coordinator);
  });
});

describe('over 3 nodes, with a draft', () => {
  let mesh;
  before(async () => {
    mesh = await startSplit({ stages: 3, settings: { activations: 'f32', draft: path.join(models, 'starter-draft.gguf') } });
  });
  after(() => mesh?.stop());

  test('the text is that without a draft, which proposed some of it', patient, async () => {
    const coordinator = mesh.byId(mesh.deployment.coordinator);
    for (const body of greedy) assertSameText((await ask(coordinator, body)).text, await textOf(alone.client, body));
    assert.ok(await counter(coordinator, 'starling_draft_tokens_total', 'accepted') > 0);
  });
});
