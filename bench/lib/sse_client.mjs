// A streaming client that does as little as it can: the load it makes is load that both servers lose.
import http from 'node:http';

/**
 * POSTs `body` and reads the answer as server-sent events.
 * Resolves to {status, first_ms, total_ms, usage, text_bytes, error}; `first_ms` is the time from the request to the
 * first event that carries text. `agent` decides whether connections are kept.
 */
export function stream(base, path, body, { agent, signal, onText } = {}) {
  const started = performance.now();
  const outcome = { status: 0, first_ms: null, total_ms: null, usage: null, text_bytes: 0, error: null };
  return new Promise((resolve) => {
    const finish = (error) => {
      outcome.error = error ?? outcome.error;
      outcome.total_ms = performance.now() - started;
      resolve(outcome);
    };
    const payload = JSON.stringify(body);
    const request = http.request(new URL(path, base), {
      method: 'POST', agent, signal,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
    }, (response) => {
      outcome.status = response.statusCode;
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (piece) => {
        rest += piece;
        for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
          const event = rest.slice(0, end);
          rest = rest.slice(end + 2);
          if (event.startsWith('data: {')) readEvent(JSON.parse(event.slice(6)), outcome, started, onText);
        }
      });
      response.on('end', () => finish(response.statusCode === 200 ? null : `HTTP ${response.statusCode}: ${rest.slice(0, 200)}`));
      response.on('error', (error) => finish(error.message));
    });
    request.on('error', (error) => finish(error.message));
    request.end(payload);
  });
}

function readEvent(event, outcome, started, onText) {
  const choice = event.choices?.[0];
  const text = choice?.text ?? choice?.delta?.content;
  if (text) {
    outcome.first_ms ??= performance.now() - started;
    outcome.text_bytes += text.length;
    onText?.(text);
  }
  if (event.usage) outcome.usage = event.usage;
  if (event.error) outcome.error = JSON.stringify(event.error);
}

/** GETs a path; resolves to {status, body} or null where nobody answers. */
export function get(base, path) {
  return new Promise((resolve) => {
    const request = http.get(new URL(path, base), { agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (piece) => { body += piece; });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    });
    request.on('error', () => resolve(null));
    request.setTimeout(5000, () => request.destroy());
  });
}
