// A server with the OpenAI API whose model says what a test has written: for a node's --upstream.
import http from 'node:http';

/// `answers`: for the question "say N" the answer N, in pieces of some characters; `refuse N`: an error with that sentence,
/// `break N`: one in the middle of an answer. { url, close() }.
export async function written_answers(answers, { piece = 9, pause_ms = 0 } = {}) {
  const server = http.createServer(async (request, answer) => {
    let body = '';
    for await (const part of request) body += part;
    const json = (value, status = 200) => {
      answer.writeHead(status, { 'content-type': 'application/json' });
      answer.end(JSON.stringify(value));
    };
    if (!request.url.endsWith('/chat/completions')) return json({ object: 'list', data: [], status: 'ok' });
    const { messages, model } = JSON.parse(body);
    const [, how, number] = /(say|refuse|break) (\d+)/.exec(String(messages.at(-1).content)) ?? [null, 'say', 0];
    const text = answers[Number(number)];
    if (how === 'refuse') return json({ error: { message: text, type: 'invalid_request_error', code: 'refused' } }, 400);
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    const tell = (value) => answer.write(`data: ${JSON.stringify(value)}\n\n`);
    const chunk = (delta, finish_reason = null) => tell({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, delta, finish_reason }] });
    chunk({ role: 'assistant', content: '' });
    for (let at = 0; at < text.length && !answer.destroyed; at += piece) {
      chunk({ content: text.slice(at, at + piece) });
      if (pause_ms) await new Promise((done) => setTimeout(done, pause_ms));
      if (how === 'break' && at > text.length / 2) {
        tell({ error: { message: text, type: 'server_error', code: 'engine_failed' } });
        return answer.end();
      }
    }
    chunk({}, 'stop');
    answer.end('data: [DONE]\n\n');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
