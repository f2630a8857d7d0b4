import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { eventually, startServer, user } from './lib/server.mjs';

let server;
before(async () => {
  server = await startServer({ args: ['--ctx', '256', '--slots', '1', '--queue-limit', '2'] });
});
after(() => server?.stop());

const chat = (more) => ({ model: 'starter', messages: [user('Hello!')], max_tokens: 4, ...more });
const chatAt = '/v1/chat/completions';

async function errorOf(response, status, code) {
  assert.equal(response.status, status);
  assert.match(response.headers.get('content-type'), /^application\/json/);
  assert.equal(response.headers.get('x-starling-node'), server.nodeId);
  assert.ok(response.headers.get('x-request-id'));
  const { error } = await response.json();
  assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type']);
  assert.ok(error.message.length > 15, 'a plain sentence');
  assert.doesNotMatch(error.message, /\/root|\/home|\/tmp|\.cpp|0x[0-9a-f]{6}/, 'nothing internal');
  if (code) {
    assert.equal(error.code, code);
  }
  return error;
}

test('an unknown model is a 404 that names the models there are', async () => {
  const error = await errorOf(await server.post(chatAt, chat({ model: 'gpt-99' })), 404, 'model_not_found');
  assert.match(error.message, /gpt-99/);
  assert.match(error.message, /starter/);
  await assert.rejects(server.client.chat.completions.create(chat({ model: 'gpt-99' })), OpenAI.NotFoundError);
  await assert.rejects(server.client.models.retrieve('nobody'), OpenAI.NotFoundError);
});

test('a prompt that is too long is a 400 with the numbers', async () => {
  const long = chat({ messages: [user('word '.repeat(5000))] });
  const error = await errorOf(await server.post(chatAt, long), 400, 'context_length_exceeded');
  assert.match(error.message, /256/);
  assert.match(error.message, /\b[5-9]\d{3}\b/, 'how long the prompt is');
  await assert.rejects(server.client.chat.completions.create({ ...long, stream: true }), OpenAI.BadRequestError);
});

test('an answer that fills the context ends with the reason length', async () => {
  const answer = await server.client.chat.completions.create(chat({ max_tokens: undefined, ignore_eos: true }));
  assert.equal(answer.choices[0].finish_reason, 'length');
  assert.ok(answer.usage.total_tokens <= 256);
});

test('malformed JSON is a 400', async () => {
  for (const body of ['', '{', 'nonsense', '{"model":', '{"a":1}}', '\u0000', '{"messages":[{"role":"user","content":"\ud800"']) {
    await errorOf(await server.post(chatAt, body), 400, 'malformed_json');
  }
  await errorOf(await server.post(chatAt, '['.repeat(100_000)), 400);
});

test('wrong types and ranges are 400s that name the field', async () => {
  const wrong = {
    messages: ['hello', [], [{}], [{ role: 'user' }], [{ role: 'alien', content: 'x' }], [{ role: 'user', content: 5 }]],
    temperature: ['hot', -1, 3, [], {}],
    top_p: [2, 'x'],
    max_tokens: [0, -5, 'many', 1.5],
    n: [0, 100, 'two'],
    stop: [5, [1], ''],
    stream: ['yes', 1],
    seed: ['x', 1.5],
    logit_bias: [[], { x: 1 }],
    tools: [{}, [{}], [{ type: 'magic' }]],
    tool_choice: ['sometimes', 'required'],
    response_format: ['json', { type: 'xml' }],
    top_logprobs: [3],
  };
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values) {
      const error = await errorOf(await server.post(chatAt, chat({ [field]: value })), 400);
      assert.equal(error.type, 'invalid_request_error');
      assert.ok(error.param.startsWith(field), `${field}: ${error.param}`);
    }
  }
});

test('images are refused with a reason', async () => {
  const messages = [user([{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }])];
  const error = await errorOf(await server.post(chatAt, chat({ messages })), 400, 'unsupported_value');
  assert.match(error.message, /text/);
});

test('unknown fields are ignored', async () => {
  const response = await server.post(chatAt, chat({ store: false, metadata: { a: 'b' }, service_tier: 'auto', whatever: [1] }));
  assert.equal(response.status, 200);
});

test('paths and methods that are not there are 404 and 405', async () => {
  await errorOf(await server.get('/v1/nothing'), 404, 'unknown_url');
  await errorOf(await server.post('/v2/chat', {}), 404, 'unknown_url');
  const wrong = await server.get(chatAt);
  assert.match(wrong.headers.get('allow'), /POST/);
  await errorOf(wrong, 405, 'method_not_allowed');
  await errorOf(await server.post('/v1/models', {}), 405);
  await errorOf(await server.get('/health', { method: 'DELETE' }), 405);
});

test('bodies that say they are not JSON are 415', async () => {
  await errorOf(await server.post(chatAt, chat(), { 'content-type': 'text/xml' }), 415);
  await errorOf(await server.post(chatAt, chat(), { 'content-type': 'multipart/form-data; boundary=x' }), 415);
  await errorOf(await server.post(chatAt, chat(), { 'content-encoding': 'gzip' }), 415);
  assert.equal((await server.post(chatAt, chat(), { 'content-type': 'application/json; charset=utf-8' })).status, 200);
});

test('a full queue is a 429 with Retry-After, and it empties', async () => {
  // A long context: answers that go on until the test has seen what it came for.
  const small = await startServer({ args: ['--ctx', '2048', '--slots', '1', '--queue-limit', '2'] });
  const controllers = [];
  const long = chat({ max_tokens: 2000, ignore_eos: true });
  const begin = () => {
    const controller = new AbortController();
    controllers.push(controller);
    small.client.chat.completions.create(long, { signal: controller.signal }).catch(() => {});
  };
  try {
    begin();
    assert.ok(await eventually(async () => (await small.engine()).busy === 1));
    begin();
    begin();
    assert.ok(await eventually(async () => (await small.engine()).queued === 2));
    const refused = await small.post(chatAt, chat());
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    assert.ok((await refused.json()).error.message);
    await assert.rejects(small.client.chat.completions.create(chat()), OpenAI.RateLimitError);
    controllers.forEach((c) => c.abort());
    assert.ok(await eventually(async () => (await small.engine()).busy === 0));
    assert.equal((await small.post(chatAt, chat())).status, 200);
  } finally {
    await small.stop();
  }
});

test('the official client comes back by itself after a 429', async () => {
  const patient = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 60 });
  const answers = await Promise.all(Array.from({ length: 8 }, () => patient.chat.completions.create(chat())));
  assert.ok(answers.every((a) => a.choices[0].message.content !== undefined));
});

test('a page that was not allowed may not use the node', async () => {
  await errorOf(await server.post(chatAt, chat(), { origin: 'https://evil.example' }), 403);
});
