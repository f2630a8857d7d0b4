import { afterEach, beforeEach, expect, it, vi } from 'vitest';

/// What the node answers to each GET /api/events, in turn; the last one again and again.
let answers: ((signal?: AbortSignal | null) => Promise<Response>)[];
let asked: (string | null)[]; // the key of each
let ended: number; // of them, by the page

const until_aborted = (signal?: AbortSignal | null) =>
  new Promise<never>((_, fail) => signal?.addEventListener('abort', () => fail(new DOMException('aborted', 'AbortError'))));

const refusal = () =>
  Promise.resolve(new Response(JSON.stringify({ error: { message: 'The API key is not one of this node\'s keys.' } }), { status: 401 }));
/// A stream that says now and then that it is there.
const signs_of_life = (signal?: AbortSignal | null) => {
  const body = new ReadableStream({
    start: (stream) => {
      const telling = setInterval(() => stream.enqueue(new TextEncoder().encode(': still here\n\n')), 15_000);
      signal?.addEventListener('abort', () => {
        clearInterval(telling);
        stream.error(new DOMException('aborted', 'AbortError'));
      });
    },
  });
  return Promise.resolve(new Response(body));
};
/// A stream that says nothing.
const silence = (signal?: AbortSignal | null) =>
  Promise.resolve(
    new Response(
      new ReadableStream({
        start: (stream) => signal?.addEventListener('abort', () => stream.error(new DOMException('aborted', 'AbortError'))),
      }),
    ),
  );

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  sessionStorage.clear();
  asked = [];
  ended = 0;
  vi.stubGlobal('fetch', (path: string, options: RequestInit) => {
    if (path === '/api/session') return Promise.resolve(new Response('{"error":{"message":"a key"}}', { status: 401 }));
    asked.push(new Headers(options.headers).get('authorization'));
    options.signal?.addEventListener('abort', () => (ended += 1));
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return Promise.race([answer?.(options.signal) ?? until_aborted(), until_aborted(options.signal)]);
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function start() {
  const live = await import('../src/live/live');
  const access = await import('../src/api/access');
  void live.run();
  await vi.advanceTimersByTimeAsync(0);
  return { ...live, ...access };
}

// The first one: all share the document, and pages of other tests would listen to it, too.
it('a tab that nobody sees gives its connection back, and listens again when it is seen', async () => {
  answers = [signs_of_life];
  const hidden = vi.spyOn(document, 'hidden', 'get');
  const show = async (seen: boolean) => {
    hidden.mockReturnValue(!seen);
    document.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(0);
  };
  const { link } = await start();
  await show(false);
  await vi.advanceTimersByTimeAsync(20_000);
  await show(true); // soon enough
  await vi.advanceTimersByTimeAsync(20_000);
  expect(asked).toHaveLength(1);
  await show(false);
  await vi.advanceTimersByTimeAsync(31_000);
  expect(ended).toBe(1);
  await vi.advanceTimersByTimeAsync(600_000);
  expect([asked.length, link.value]).toEqual([1, 'live']);
  await show(true);
  expect([asked.length, link.value]).toEqual([2, 'live']);
  hidden.mockRestore();
});

it('a refused key is told, and the node is asked again only with another one, at once', async () => {
  answers = [refusal];
  const { link, key_wanted, key_fault, use_key, reconnect } = await start();
  expect(link.value).toBe('refused');
  expect([key_wanted.value, key_fault.value]).toEqual([true, '']);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked.length).toBeLessThanOrEqual(2); // once without a key, once more in case its token had been forgotten

  use_key('wrong');
  reconnect();
  await vi.advanceTimersByTimeAsync(0);
  expect([key_wanted.value, key_fault.value]).toEqual([true, 'The API key is not one of this node\'s keys.']);
  answers = [silence];
  use_key('right');
  reconnect();
  await vi.advanceTimersByTimeAsync(0);
  expect(link.value).toBe('live');
  expect(asked.at(-1)).toBe('Bearer right');
});

it('a node that hangs is lost, though its connection still stands', async () => {
  answers = [silence, () => new Promise(() => undefined)];
  const { link } = await start();
  expect(link.value).toBe('live');
  await vi.advanceTimersByTimeAsync(41_000);
  expect(link.value).toBe('lost');
  answers = [silence];
  await vi.advanceTimersByTimeAsync(50_000);
  expect(link.value).toBe('live');
});

it('what the node says instead is told, and it is asked again', async () => {
  const full = () => Promise.resolve(new Response(JSON.stringify({ error: { message: '64 pages look at this node already.' } }), { status: 503 }));
  answers = [full, silence];
  const { link, turned_away } = await start();
  expect(link.value).toBe('lost');
  expect(turned_away.value).toBe('64 pages look at this node already.');
  await vi.advanceTimersByTimeAsync(1_500);
  expect(link.value).toBe('live');
  expect(turned_away.value).toBe('');
});

it('an event that is not as it should be is left out, and the next ones come', async () => {
  const lines = ['event: status\ndata: {', 'event: peers\ndata: {"set":1}', 'event: log\ndata: null', 'event: hello\ndata: {"name":"desk"}'];
  answers = [() => Promise.resolve(new Response(lines.map((one) => `${one}\n\n`).join(''))), silence];
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { hello } = await start();
  await vi.waitFor(() => expect(hello.value?.name).toBe('desk'));
  expect([warn.mock.calls.length, asked.length]).toEqual([3, 1]);
});

it('what this machine asks itself is known until it is over', async () => {
  answers = [silence];
  const { asking, take } = await start();
  const own = { code: '123 456', member: 'attic', member_id: 'aa', mesh_id: 'bb', approved: false, confirmed: false };
  take({ event: 'asking', data: { asking: own } });
  expect(asking.value).toEqual(own);
  take({ event: 'hello', data: { version: '1', node_id: 'cc', name: 'desk', may_change: true } });
  expect(asking.value).toBeNull();
});
