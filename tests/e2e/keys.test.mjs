import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { startServer, user } from './lib/server.mjs';

const key = 'sk-right-and-long-enough-0123456789';
const origin = 'https://app.example';
let server;
before(async () => {
  server = await startServer({ apiKey: key, args: ['--cors-origin', origin] });
});
after(() => server?.stop());

const chat = { model: 'starter', messages: [user('Hello!')], max_tokens: 2 };

test('the right key is let in', async () => {
  assert.equal((await server.client.models.list()).data[0].id, 'starter');
  assert.ok((await server.client.chat.completions.create(chat)).choices.length);
});

test('no key, a wrong key and parts of the key are 401', async () => {
  for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: key }, { authorization: `Bearer ${key}x` },
    { authorization: `Bearer ${key.slice(0, -1)}` }, { authorization: 'Bearer ' }, { authorization: `Basic ${key}` }]) {
    const response = await server.get('/v1/models', { headers });
    assert.equal(response.status, 401, JSON.stringify(headers));
    assert.match(response.headers.get('www-authenticate'), /^Bearer/);
    assert.equal((await response.json()).error.code, 'invalid_api_key');
  }
  const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
  await assert.rejects(stranger.chat.completions.create(chat), OpenAI.AuthenticationError);
});

test('everything but /health and the start page asks for the key', async () => {
  assert.equal((await server.get('/health')).status, 200);
  assert.equal((await server.get('/')).status, 200);
  for (const path of ['/metrics', '/api/status', '/api/peers', '/api/deployments', '/v1/models', '/nothing']) {
    assert.equal((await server.get(path)).status, 401, path);
  }
});

test('an allowed page gets its preflight and its headers', async () => {
  const preflight = await server.get('/v1/chat/completions', {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-stainless-lang',
    },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-origin'), origin);
  assert.match(preflight.headers.get('access-control-allow-methods'), /POST/);
  assert.match(preflight.headers.get('access-control-allow-headers'), /x-stainless-lang/);
  const answer = await server.post('/v1/chat/completions', chat, { origin, authorization: `Bearer ${key}` });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('access-control-allow-origin'), origin);
  assert.match(answer.headers.get('vary'), /origin/i);
  const refused = await server.post('/v1/chat/completions', chat, { origin });
  assert.equal(refused.status, 401);
  assert.equal(refused.headers.get('access-control-allow-origin'), origin, 'the page must be able to read the error');
});

test('another page gets neither', async () => {
  const other = 'https://app.example.evil.example';
  const preflight = await server.get('/v1/chat/completions', {
    method: 'OPTIONS', headers: { origin: other, 'access-control-request-method': 'POST' },
  });
  assert.ok(preflight.status >= 400);
  assert.equal(preflight.headers.get('access-control-allow-origin'), null);
  const answer = await server.get('/v1/models', { headers: { origin: other, authorization: `Bearer ${key}` } });
  assert.equal(answer.headers.get('access-control-allow-origin'), null);
});

test('binding to every address without a key is refused', async () => {
  await assert.rejects(startServer({ args: ['--bind', '0.0.0.0'] }), /key/);
});
