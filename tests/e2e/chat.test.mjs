import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, startServer, user } from './lib/server.mjs';

let server;
let client;
before(async () => {
  server = await startServer();
  client = server.client;
});
after(() => server?.stop());

const ask = (more) => client.chat.completions.create({ model: 'starter', messages: [user('Hello!')], ...more });

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return chunks;
}
const textOf = (chunks, index = 0) =>
  chunks.flatMap((c) => c.choices.filter((o) => o.index === index).map((o) => o.delta.content ?? '')).join('');

test('a chat is answered, in the shape that the API promises', async () => {
  const answer = await ask({ max_tokens: 40, seed: 1 });
  assert.equal(answer.object, 'chat.completion');
  assert.match(answer.id, /^chatcmpl-/);
  assert.equal(answer.model, 'starter');
  assert.ok(Math.abs(answer.created - Date.now() / 1000) < 60);
  const [choice] = answer.choices;
  assert.equal(choice.message.role, 'assistant');
  assert.ok(choice.message.content.length > 0);
  assert.ok(['stop', 'length'].includes(choice.finish_reason));
  assert.ok(answer.usage.prompt_tokens > 0);
  assert.ok(answer.usage.completion_tokens > 0 && answer.usage.completion_tokens <= 40);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test('a conversation with a system turn and content parts is answered', async () => {
  const answer = await client.chat.completions.create({
    model: 'starter',
    max_tokens: 30,
    messages: [
      { role: 'developer', content: 'You are helpful.' },
      user([{ type: 'text', text: 'Hello, ' }, { type: 'text', text: 'who are you?' }]),
      { role: 'assistant', content: 'I am Starling.' },
      user('Tell me more.'),
    ],
  });
  assert.ok(answer.choices[0].message.content.length > 0);
});

test('a stream gives the same text as the answer in one piece', async () => {
  const settings = { max_tokens: 48, temperature: 0.8, seed: 42 };
  const whole = await ask(settings);
  const chunks = await collect(await ask({ ...settings, stream: true }));
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.equal(textOf(chunks), whole.choices[0].message.content);
  const ends = chunks.filter((c) => c.choices[0]?.finish_reason);
  assert.equal(ends.length, 1);
  assert.equal(ends[0].choices[0].finish_reason, whole.choices[0].finish_reason);
  assert.ok(chunks.every((c) => c.usage === undefined));
  assert.equal(new Set(chunks.map((c) => c.id)).size, 1);
});

test('a stream comes in pieces, and not all at its end', async () => {
  const stream = await client.chat.completions.create({
    model: 'starter', messages: [user('Tell me a story.')], max_tokens: 64, stream: true,
  });
  const times = [];
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta?.content) {
      times.push(performance.now());
    }
  }
  assert.ok(times.length >= 3, `${times.length} pieces`);
});

test('usage comes last in a stream when it is asked for', async () => {
  const chunks = await collect(await ask({ max_tokens: 8, stream: true, stream_options: { include_usage: true } }));
  const last = chunks.at(-1);
  assert.deepEqual(last.choices, []);
  assert.ok(last.usage.prompt_tokens > 0);
  assert.ok(last.usage.completion_tokens > 0 && last.usage.completion_tokens <= 8);
  assert.ok(chunks.slice(0, -1).every((c) => c.usage === null));
});

test('the same seed gives the same text, and another seed mostly another', async () => {
  const settings = { max_tokens: 32, temperature: 1.0, messages: [user('Tell me a story about a fox.')] };
  const [a, b] = await Promise.all([ask({ ...settings, seed: 7 }), ask({ ...settings, seed: 7 })]);
  assert.equal(a.choices[0].message.content, b.choices[0].message.content);
  const others = await Promise.all([8, 9, 10, 11].map((seed) => ask({ ...settings, seed })));
  const texts = new Set(others.map((o) => o.choices[0].message.content));
  assert.ok(texts.size > 1, 'four seeds, one text');
});

test('without a seed, answers differ', async () => {
  const settings = { max_tokens: 32, temperature: 1.2, messages: [user('Tell me a story.')] };
  const texts = new Set();
  for (let i = 0; i < 4; ++i) {
    texts.add((await ask(settings)).choices[0].message.content);
  }
  assert.ok(texts.size > 1);
});

test('temperature 0 is greedy, whatever the seed', async () => {
  const [a, b] = await Promise.all([1, 2].map((seed) => ask({ max_tokens: 24, temperature: 0, seed })));
  assert.equal(a.choices[0].message.content, b.choices[0].message.content);
});

test('max_tokens ends an answer with the reason length', async () => {
  const answer = await ask({ max_tokens: 3, messages: [user('Tell me a long story about the sea.')] });
  assert.equal(answer.usage.completion_tokens, 3);
  assert.equal(answer.choices[0].finish_reason, 'length');
});

test('a stop string ends the answer and is not part of it', async () => {
  const settings = { max_tokens: 60, temperature: 0, messages: [user('Tell me a story about a lighthouse.')] };
  const full = (await ask(settings)).choices[0].message.content;
  const at = Math.min(12, full.length - 4);
  const stop = full.slice(at, at + 3);
  const expected = full.slice(0, full.indexOf(stop));
  const cut = await ask({ ...settings, stop });
  assert.equal(cut.choices[0].message.content, expected);
  assert.equal(cut.choices[0].finish_reason, 'stop');
  const streamed = await collect(await ask({ ...settings, stop: ['not in there at all', stop], stream: true }));
  assert.equal(textOf(streamed), expected);
});

test('n choices are drawn side by side and differ by their seeds', async () => {
  const settings = { max_tokens: 16, temperature: 1.0, seed: 100, messages: [user('Tell me a story.')] };
  const answer = await ask({ ...settings, n: 3 });
  assert.deepEqual(answer.choices.map((c) => c.index), [0, 1, 2]);
  const second = await ask({ ...settings, seed: 101 });
  assert.equal(answer.choices[1].message.content, second.choices[0].message.content);
  const streamed = await collect(await ask({ ...settings, n: 3, stream: true }));
  for (const index of [0, 1, 2]) {
    assert.equal(textOf(streamed, index), answer.choices[index].message.content);
  }
  assert.ok(answer.usage.completion_tokens > 16);
});

test('logprobs tell each token, its bytes and its alternatives', async () => {
  const answer = await ask({ max_tokens: 6, temperature: 0, logprobs: true, top_logprobs: 3 });
  const { content } = answer.choices[0].logprobs;
  assert.equal(content.length, answer.usage.completion_tokens);
  const bytes = content.flatMap((t) => t.bytes);
  assert.ok(Buffer.from(bytes).toString().includes(answer.choices[0].message.content.trim()));
  for (const token of content) {
    assert.ok(token.logprob <= 0 && token.logprob > -50);
    assert.equal(token.top_logprobs.length, 3);
    assert.ok(token.top_logprobs[0].logprob >= token.top_logprobs[1].logprob);
  }
  const streamed = await collect(await ask({ max_tokens: 6, temperature: 0, logprobs: true, stream: true }));
  const told = streamed.flatMap((c) => c.choices[0]?.logprobs?.content ?? []);
  assert.equal(told.length, content.length);
  assert.equal(told[0].logprob, content[0].logprob);
  assert.deepEqual(told[0].top_logprobs, []);
});

test('logit_bias can force a token', async () => {
  const forced = async (id) => {
    const answer = await client.completions.create({
      model: 'starter', prompt: 'The', max_tokens: 4, temperature: 0, logprobs: 0, ignore_eos: true, logit_bias: { [id]: 100 },
    });
    const { tokens } = answer.choices[0].logprobs;
    assert.equal(new Set(tokens).size, 1, `one token again and again, not ${JSON.stringify(tokens)}`);
    return tokens[0];
  };
  assert.notEqual(await forced(400), await forced(401));
});

test('leaving in mid-stream frees the slot at once', async () => {
  const stream = await client.chat.completions.create({
    model: 'starter', messages: [user('Tell me a story.')], max_tokens: 4000, stream: true, ignore_eos: true,
  });
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta?.content) {
      assert.ok(await eventually(async () => (await server.engine()).busy >= 1));
      stream.controller.abort();
      break;
    }
  }
  assert.ok(await eventually(async () => (await server.engine()).busy === 0), 'the engine goes on for nobody');
});

test('leaving a request that does not stream frees the slot too', async () => {
  const controller = new AbortController();
  const gone = client.chat.completions.create(
    { model: 'starter', messages: [user('Tell me a story.')], max_tokens: 4000, ignore_eos: true },
    { signal: controller.signal },
  );
  assert.ok(await eventually(async () => (await server.engine()).busy >= 1));
  controller.abort();
  await assert.rejects(gone);
  assert.ok(await eventually(async () => (await server.engine()).busy === 0));
});

test('many clients at once each get their own answer', async () => {
  const prompts = Array.from({ length: 24 }, (_, i) => `Tell me a story about number ${i}.`);
  const settings = (prompt) => ({ max_tokens: 12, temperature: 0, messages: [user(prompt)] });
  const together = await Promise.all(prompts.map((p) => ask(settings(p))));
  for (const answer of together) {
    assert.ok(answer.choices[0].message.content.length > 0);
    assert.ok(answer.usage.completion_tokens <= 12);
  }
  assert.ok(await eventually(async () => (await server.engine()).busy === 0));
});

test('a prompt that was just seen is not computed again', async () => {
  const messages = [user('Please remember this sentence about a lighthouse on a cliff. '.repeat(6))];
  await ask({ messages, max_tokens: 4 });
  const again = await ask({ messages, max_tokens: 4 });
  assert.ok(again.usage.prompt_tokens_details.cached_tokens > again.usage.prompt_tokens / 2);
});

test('"auto" and no name at all mean the model that is ready', async () => {
  assert.equal((await ask({ model: 'auto', max_tokens: 2 })).model, 'starter');
  assert.equal((await ask({ model: '', max_tokens: 2 })).model, 'starter');
});
