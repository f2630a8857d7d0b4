// A server that behaves like the model hub and its storage, with faults to be switched on.
import { createHash } from 'node:crypto';
import http from 'node:http';

const listen = (handler) => new Promise((resolve) => {
  const server = http.createServer(handler);
  server.listen(0, '127.0.0.1', () => resolve(server));
});
const urlOf = (server) => `http://127.0.0.1:${server.address().port}`;

/**
 * `faults`, changed at any time: token (401 without it), sha256 (published instead of the real one), cuts (so many
 * storage answers end after half of what was asked for), missing (404), held (a promise; after half of it, the storage waits).
 */
export async function startHub(content, faults = {}) {
  const digest = createHash('sha256').update(content).digest('hex');
  const asked = []; // ranges that the storage was asked for
  const tokensAtStorage = [];
  const storage = await listen((request, response) => {
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    asked.push(from);
    if (request.headers.authorization) tokensAtStorage.push(request.headers.authorization);
    const body = content.subarray(from);
    response.writeHead(request.headers.range ? 206 : 200, {
      'content-length': body.length, etag: '"blob"',
      ...(request.headers.range && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
    });
    if (request.method === 'HEAD') return response.end();
    if (faults.held) return response.write(body.subarray(0, body.length >> 1), () => faults.held.then(() => response.end(body.subarray(body.length >> 1))));
    if (!(faults.cuts > 0)) return response.end(body);
    faults.cuts--;
    response.write(body.subarray(0, body.length >> 1), () => setTimeout(() => response.destroy(), 50));
  });
  const hub = await listen((request, response) => {
    if (faults.token && request.headers.authorization !== `Bearer ${faults.token}`) {
      response.writeHead(401, { 'x-error-code': 'GatedRepo' }).end();
    } else if (faults.missing) {
      response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
    } else {
      const etag = `"${faults.sha256 ?? digest}"`;
      response.writeHead(302, {
        location: `${urlOf(storage)}/blob`, 'x-linked-size': content.length, 'x-linked-etag': etag, etag, 'x-repo-commit': 'abc',
      }).end();
    }
  });
  const stop = () => [hub, storage].forEach((server) => {
    server.closeAllConnections();
    server.close();
  });
  return { url: urlOf(hub), faults, asked, tokensAtStorage, stop };
}
