// A story of the starter, told as a stream, that something may happen to on the way.
import http from 'node:http';

/** Streams a seeded story; `onPiece(n, node)` is called at each piece with the id of the node that answers. */
export function story(entry, seed, onPiece = () => {}) {
  const body = { model: 'starter', stream: true, max_tokens: 160, temperature: 0.8, seed,
    messages: [{ role: 'user', content: 'Tell me a story about a lighthouse.' }] };
  return new Promise((resolve) => {
    const outcome = { text: '', pieces: 0, error: null, longest_ms: 0, finished: null, node: null };
    let last = null;
    const request = http.request(new URL('/v1/chat/completions', entry.url), { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } }, (response) => {
      outcome.node = response.headers['x-starling-node'];
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (data) => {
        rest += data;
        for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
          const line = rest.slice(0, end);
          rest = rest.slice(end + 2);
          if (!line.startsWith('data: {')) continue;
          const event = JSON.parse(line.slice(6));
          if (event.error) outcome.error = event.error.message;
          outcome.finished ??= event.choices?.[0]?.finish_reason ?? null;
          const text = event.choices?.[0]?.delta?.content;
          if (!text) continue;
          const now = performance.now();
          if (last !== null) outcome.longest_ms = Math.max(outcome.longest_ms, now - last);
          last = now;
          outcome.text += text;
          onPiece(++outcome.pieces, outcome.node);
        }
      });
      response.on('end', () => resolve(outcome));
      response.on('error', (error) => resolve({ ...outcome, error: error.message }));
    });
    request.on('error', (error) => resolve({ ...outcome, error: error.message }));
    request.end(JSON.stringify(body));
  });
}
