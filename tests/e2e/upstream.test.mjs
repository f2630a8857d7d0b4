// A node whose model is another server: the same API, whatever stands behind it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, startServer, user } from './lib/server.mjs';

let behind;
let front;
before(async () => {
  behind = await startServer();
  front = await startServer({ args: ['--upstream', `${behind.url}/v1`, '--model', 'starter'] });
});
after(async () => {
  await front?.stop();
  await behind?.stop();
});

const ask = (server, more) => server.client.chat.completions.create({ model: 'starter', messages: [user('Hello!')], ...more });

test('an answer is the same as from the server behind', async () => {
  const settings = { max_tokens: 24, seed: 5, temperature: 0.9 };
  const direct = await ask(behind, settings);
  const through = await ask(front, settings);
  assert.equal(through.choices[0].message.content, direct.choices[0].message.content);
  assert.equal(through.usage.prompt_tokens, direct.usage.prompt_tokens);
  assert.equal(through.usage.completion_tokens, direct.usage.completion_tokens);
});

test('a stream comes through in pieces and adds up', async () => {
  const settings = { max_tokens: 24, seed: 5, temperature: 0.9 };
  const whole = await ask(behind, settings);
  let text = '';
  let pieces = 0;
  for await (const chunk of await ask(front, { ...settings, stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? '';
    pieces += 1;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.ok(pieces > 2);
});

test('tools and schemas come through', async () => {
  const parameters = { type: 'object', properties: { city: { type: 'string', maxLength: 20 } }, required: ['city'], additionalProperties: false };
  const called = await ask(front, {
    messages: [user('What is the weather in Paris?')], max_tokens: 200, temperature: 0, tool_choice: 'required',
    tools: [{ type: 'function', function: { name: 'get_weather', description: 'The weather of a city.', parameters } }],
  });
  assert.equal(called.choices[0].finish_reason, 'tool_calls');
  assert.equal(called.choices[0].message.tool_calls[0].function.name, 'get_weather');
  const schema = { type: 'object', properties: { a: { type: 'boolean' } }, required: ['a'], additionalProperties: false };
  const formed = await ask(front, {
    max_tokens: 100, response_format: { type: 'json_schema', json_schema: { name: 's', schema } },
  });
  assert.equal(typeof JSON.parse(formed.choices[0].message.content).a, 'boolean');
});

test('leaving the front ends the work behind', async () => {
  const stream = await ask(front, { max_tokens: 1500, ignore_eos: true, stream: true });
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta?.content) {
      assert.ok(await eventually(async () => (await behind.engine()).busy >= 1));
      stream.controller.abort();
      break;
    }
  }
  assert.ok(await eventually(async () => (await behind.engine()).busy === 0), 'the server behind works for nobody');
});

test('its complaints are passed on', async () => {
  const error = await ask(front, { messages: [user('word '.repeat(60_000))] }).then(() => null, (e) => e);
  assert.equal(error.status, 400);
  assert.match(error.message, /\d{4,}/);
});

test('when it is gone, requests fail with a plain error and the front lives', async () => {
  await behind.stop('SIGKILL');
  const error = await ask(front, { max_tokens: 4 }).then(() => null, (e) => e);
  assert.ok([502, 503].includes(error.status), String(error));
  assert.ok(error.message.length > 15);
  assert.ok([200, 503].includes((await front.get('/health')).status));
});
