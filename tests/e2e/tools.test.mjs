import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, user } from './lib/server.mjs';

let server;
let client;
before(async () => {
  server = await startServer();
  client = server.client;
});
after(() => server?.stop());

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 20 } },
      required: ['city'],
      additionalProperties: false,
    },
  },
};
const ask = (more) =>
  client.chat.completions.create({
    model: 'starter', messages: [user('What is the weather in Paris?')], max_tokens: 200, temperature: 0, ...more,
  });

test('a required tool is called with arguments that follow its schema', async () => {
  const answer = await ask({ tools: [weather], tool_choice: 'required' });
  const [choice] = answer.choices;
  assert.equal(choice.finish_reason, 'tool_calls');
  const [call] = choice.message.tool_calls;
  assert.equal(call.type, 'function');
  assert.equal(call.function.name, 'get_weather');
  assert.ok(call.id.length > 0);
  assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
});

test('tool calls stream as deltas that add up to the same call', async () => {
  const whole = await ask({ tools: [weather], tool_choice: 'required', seed: 3 });
  const stream = await ask({ tools: [weather], tool_choice: 'required', seed: 3, stream: true });
  const calls = [];
  let reason;
  let pieces = 0;
  for await (const chunk of stream) {
    const [choice] = chunk.choices;
    reason = choice?.finish_reason ?? reason;
    for (const delta of choice?.delta?.tool_calls ?? []) {
      pieces += 1;
      calls[delta.index] ??= { id: '', name: '', arguments: '' };
      calls[delta.index].id += delta.id ?? '';
      calls[delta.index].name += delta.function?.name ?? '';
      calls[delta.index].arguments += delta.function?.arguments ?? '';
    }
  }
  assert.equal(reason, 'tool_calls');
  assert.equal(calls[0].name, 'get_weather');
  assert.ok(calls[0].id.length > 0);
  assert.ok(pieces >= 2, `${pieces} pieces`);
  assert.deepEqual(JSON.parse(calls[0].arguments), JSON.parse(whole.choices[0].message.tool_calls[0].function.arguments));
});

test('naming one function calls that one', async () => {
  const other = { type: 'function', function: { name: 'get_time', parameters: { type: 'object', properties: {} } } };
  const answer = await ask({ tools: [other, weather], tool_choice: { type: 'function', function: { name: 'get_weather' } } });
  assert.equal(answer.choices[0].message.tool_calls[0].function.name, 'get_weather');
});

test('tool_choice none gives text', async () => {
  const answer = await ask({ tools: [weather], tool_choice: 'none', max_tokens: 30 });
  assert.equal(answer.choices[0].message.tool_calls, undefined);
  assert.equal(typeof answer.choices[0].message.content, 'string');
});

test('the result of a tool can be given back', async () => {
  const first = await ask({ tools: [weather], tool_choice: 'required' });
  const [call] = first.choices[0].message.tool_calls;
  const answer = await client.chat.completions.create({
    model: 'starter',
    max_tokens: 40,
    tools: [weather],
    messages: [
      user('What is the weather in Paris?'),
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: call.id, content: '{"weather":"sunny","degrees":21}' },
    ],
  });
  assert.ok(['stop', 'length', 'tool_calls'].includes(answer.choices[0].finish_reason));
});

test('a JSON schema is followed to the letter', async () => {
  const schema = {
    type: 'object',
    properties: {
      colour: { type: 'string', enum: ['red', 'green', 'blue'] },
      size: { type: 'integer', minimum: 1, maximum: 9 },
    },
    required: ['colour', 'size'],
    additionalProperties: false,
  };
  for (const seed of [1, 2, 3]) {
    const answer = await ask({
      messages: [user('Describe a ball.')], temperature: 1.0, seed,
      response_format: { type: 'json_schema', json_schema: { name: 'ball', strict: true, schema } },
    });
    assert.equal(answer.choices[0].finish_reason, 'stop');
    const ball = JSON.parse(answer.choices[0].message.content);
    assert.ok(['red', 'green', 'blue'].includes(ball.colour));
    assert.ok(Number.isInteger(ball.size) && ball.size >= 1 && ball.size <= 9);
    assert.deepEqual(Object.keys(ball).sort(), ['colour', 'size']);
  }
});

test('json_object begins as JSON and parses when it ends by itself', async () => {
  const answer = await ask({ messages: [user('A JSON object, please.')], response_format: { type: 'json_object' }, max_tokens: 300 });
  const text = answer.choices[0].message.content;
  assert.match(text.trimStart(), /^\{/);
  if (answer.choices[0].finish_reason === 'stop') {
    assert.equal(typeof JSON.parse(text), 'object');
  }
});

test('a schema that would cost the node its memory or its stack is a 400, and the node goes on', async () => {
  const chain = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`a${i}`, { $ref: `#/$defs/a${i + 1}` }]));
  const wide = Object.fromEntries(Array.from({ length: 4_000 }, (_, i) => [`p${i}`, { type: 'null' }]));
  const hostile = [
    { $ref: '#/$defs/a0', $defs: { ...chain, a20000: { type: 'null' } } },
    { type: 'object', properties: wide },
    { type: 'array', items: { type: 'null' }, minItems: 5, maxItems: 3 },
    { type: 'string', minLength: 4e9 },
  ];
  for (const schema of hostile) {
    const parameters = { type: 'object', properties: { a: schema } };
    for (const more of [
      { response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } },
      { tools: [{ type: 'function', function: { name: 'f', parameters } }], tool_choice: 'required' },
    ]) {
      await assert.rejects(ask(more), (e) => e.status === 400 && /cannot be used as a schema/.test(e.message));
    }
  }
  assert.ok((await ask({})).choices[0].message.content);
});

test('a schema that cannot be followed is a 400, and the node goes on', async () => {
  await assert.rejects(
    ask({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { $ref: '#/nowhere/at/all' } } } }),
    (e) => e.status === 400 && e.message.length > 10,
  );
  assert.equal((await server.get('/health')).status, 200);
});
