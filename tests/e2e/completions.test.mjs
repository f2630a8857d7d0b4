import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from './lib/server.mjs';

let server;
let client;
before(async () => {
  server = await startServer();
  client = server.client;
});
after(() => server?.stop());

const complete = (more) => client.completions.create({ model: 'starter', prompt: 'Once upon a time', temperature: 0, ...more });

test('text is continued', async () => {
  const answer = await complete({ max_tokens: 12 });
  assert.equal(answer.object, 'text_completion');
  assert.match(answer.id, /^cmpl-/);
  assert.ok(answer.choices[0].text.length > 0);
  assert.ok(answer.usage.completion_tokens <= 12);
});

test('sixteen tokens are the default', async () => {
  const answer = await complete({ ignore_eos: true });
  assert.equal(answer.usage.completion_tokens, 16);
  assert.equal(answer.choices[0].finish_reason, 'length');
});

test('a stream gives the same text', async () => {
  const whole = await complete({ max_tokens: 24 });
  let text = '';
  for await (const chunk of await complete({ max_tokens: 24, stream: true })) {
    text += chunk.choices[0]?.text ?? '';
  }
  assert.equal(text, whole.choices[0].text);
});

test('several prompts give their choices in order', async () => {
  const prompts = ['The cat', 'The dog', 'The sea'];
  const together = await complete({ prompt: prompts, max_tokens: 8 });
  assert.deepEqual(together.choices.map((c) => c.index), [0, 1, 2]);
  for (let i = 0; i < prompts.length; ++i) {
    assert.ok(together.choices[i].text.length > 0);
  }
  assert.ok(together.usage.completion_tokens <= 24);
});

test('echo begins with the prompt', async () => {
  const plain = await complete({ max_tokens: 6 });
  const echoed = await complete({ max_tokens: 6, echo: true });
  assert.equal(echoed.choices[0].text, 'Once upon a time' + plain.choices[0].text);
});

test('logprobs line up with the text', async () => {
  const answer = await complete({ max_tokens: 6, logprobs: 2 });
  const { tokens, token_logprobs, top_logprobs, text_offset } = answer.choices[0].logprobs;
  assert.equal(tokens.length, answer.usage.completion_tokens);
  assert.equal(token_logprobs.length, tokens.length);
  assert.equal(text_offset[0], 0);
  assert.ok(Object.keys(top_logprobs[0]).length <= 2);
});

test('a prompt of tokens is continued', async () => {
  const answer = await complete({ prompt: [10, 20, 30, 40], max_tokens: 4, ignore_eos: true });
  assert.equal(answer.usage.prompt_tokens, 4);
  assert.equal(answer.usage.completion_tokens, 4);
});

test('a token that the model does not have is a 400', async () => {
  await assert.rejects(complete({ prompt: [1_000_000] }), (e) => e.status === 400);
});

test('a grammar is followed', async () => {
  const answer = await complete({ grammar: 'root ::= ("yes" | "no") "!"', max_tokens: 10, temperature: 1 });
  assert.match(answer.choices[0].text, /^(yes|no)!$/);
  assert.equal(answer.choices[0].finish_reason, 'stop');
});

test('a grammar that is none is a 400, and the node goes on', async () => {
  await assert.rejects(complete({ grammar: 'root ::= (((' }), (e) => e.status === 400);
  await assert.rejects(complete({ grammar: 'no root here' }), (e) => e.status === 400);
  const costly = ['root ::= "a"{5,3}', `root ::= "${'a'.repeat(50_000)}"{2000}`, `root ::= ${'('.repeat(30_000)}`];
  for (const grammar of costly) {
    await assert.rejects(complete({ grammar }), (e) => e.status === 400 && /cannot be used/.test(e.message));
  }
  assert.equal((await server.get('/health')).status, 200);
});

test('embeddings are unit vectors, and like texts are alike', async () => {
  const answer = await client.embeddings.create({ model: 'starter', input: ['a dog barks', 'a dog barks', 'the sum is seven'] });
  assert.equal(answer.data.length, 3);
  const vectors = answer.data.map((d) => d.embedding);
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  for (const v of vectors) {
    assert.ok(v.length >= 16);
    assert.ok(Math.abs(dot(v, v) - 1) < 1e-3);
  }
  assert.ok(dot(vectors[0], vectors[1]) > 0.999);
  assert.ok(dot(vectors[0], vectors[2]) < 0.9999);
  assert.ok(answer.usage.prompt_tokens > 0);
});

test('embeddings as floats and as base64 are the same numbers', async () => {
  const input = 'the same text';
  const coded = await client.embeddings.create({ model: 'starter', input }); // the client asks for base64 by itself
  const floats = await client.embeddings.create({ model: 'starter', input, encoding_format: 'float' });
  const [a, b] = [coded.data[0].embedding, floats.data[0].embedding];
  assert.equal(a.length, b.length);
  assert.ok(a.every((x, i) => Math.abs(x - b[i]) < 1e-6));
  const own = await client.embeddings.create({ model: 'starter', input, dimensions: a.length });
  assert.equal(own.data[0].embedding.length, a.length);
  await assert.rejects(client.embeddings.create({ model: 'starter', input, dimensions: a.length + 1 }), (e) => e.status === 400);
});
