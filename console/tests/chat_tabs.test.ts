// @vitest-environment node
// Two tabs of one browser: each has its own modules, and they share what a browser shares.
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Answer } from '../src/pages/chat/types';

type Tell = (data: unknown) => void;
type Play = (tell: Tell, end: () => void) => void;
let play: Play;

vi.stubGlobal('document', { hidden: false });
vi.stubGlobal('requestAnimationFrame', (go: () => void) => setTimeout(go, 5));
vi.stubGlobal('fetch', async (_path: string, { signal }: { signal: AbortSignal }) => {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const encoder = new TextEncoder();
      signal.addEventListener('abort', () => controller.error(new DOMException('aborted', 'AbortError')));
      play((data) => controller.enqueue(encoder.encode(`data: ${JSON.stringify(data)}\n\n`)), () => controller.close());
    },
  });
  return new Response(body);
});

const piece = (content: string) => ({ choices: [{ delta: { content } }] });
const done = { choices: [{ delta: {}, finish_reason: 'stop' }] };
const whole = (text: string): Play => (tell, end) => {
  tell(piece(text));
  tell(done);
  end();
};

async function open_tab() {
  vi.resetModules();
  const chats = await import('../src/pages/chat/chats');
  const ask = await import('../src/pages/chat/ask');
  await chats.begin();
  const { draft_of } = await import('../src/pages/chat/drafts');
  return { ...chats, ...ask, draft_of, texts: () => chats.current.value.messages.map((one) => one.text), last: () => chats.current.value.messages.at(-1) as Answer };
}
type Tab = Awaited<ReturnType<typeof open_tab>>;

const titles = (tab: Tab) => tab.entries.value.map((one) => one.title);
const becomes = (what: () => unknown, wanted: unknown) => vi.waitFor(() => expect(what()).toEqual(wanted), { timeout: 5_000 });
const settle = () => new Promise((go_on) => setTimeout(go_on, 60));

let a: Tab;
let b: Tab;
let id: string;
beforeEach(async () => {
  a = await open_tab();
  b = await open_tab();
  await a.remove_all();
  await becomes(() => titles(b), []);
  play = whole('one');
  id = a.current.value.id;
  await a.ask(id, 'first', []);
  await becomes(() => titles(b), ['first']);
});
afterEach(() => vi.useRealTimers());

describe('the list of the other tab', () => {
  it('follows what is made, renamed, answered, imported and deleted', async () => {
    a.rename(id, 'lighthouse');
    await becomes(() => titles(b), ['lighthouse']);
    a.new_chat();
    await a.ask(a.current.value.id, 'second', []);
    await becomes(() => titles(b), ['second', 'lighthouse']);
    await a.open(id);
    await a.ask(id, 'third', []);
    await becomes(() => titles(b), ['lighthouse', 'second']);
    await a.remove(id);
    await becomes(() => titles(b), ['second']);
    await a.add_all([{ id: 'file', title: 'from a file', model: 'auto', updated: 1, messages: [], settings: {} }]);
    await becomes(() => titles(b), ['second', 'from a file']);
    await a.remove_all();
    await becomes(() => titles(b), []);
  });
});

describe('a conversation that is open in both tabs', () => {
  beforeEach(() => b.open(id));

  it('is taken over by the one that rests', async () => {
    const [question] = b.current.value.messages;
    play = whole('two');
    await a.ask(id, 'second', []);
    await becomes(b.texts, ['first', 'one', 'second', 'two']);
    expect(b.current.value.messages[0]).toBe(question); // and not drawn anew
  });

  it('grows in both, can be stopped from the other, and is not taken for cut', async () => {
    let tell: Tell = () => {};
    play = (say) => (tell = say);
    const asked = a.ask(id, 'second', []);
    await becomes(() => b.running.value.has(id), true);
    await becomes(() => b.last().state, 'streaming');
    tell(piece('half'));
    await becomes(() => a.last().text, 'half');
    await a.keep(id);
    await becomes(() => b.last().text, 'half');
    const c = await open_tab(); // opened in the middle
    await becomes(() => c.running.value.has(id), true);
    await c.open(id);
    expect(c.last()).toMatchObject({ text: 'half', state: 'streaming' });
    b.stop(id);
    await asked;
    await becomes(() => [b.last().state, b.running.value.size], ['stopped', 0]);
  });

  it('loses nothing where both were asked at once', async () => {
    play = whole('x');
    await Promise.all([a.ask(id, 'to a', []), b.ask(id, 'to b', [])]);
    await becomes(() => [...a.texts()].sort(), ['first', 'one', 'to a', 'to b', 'x', 'x']);
    await becomes(b.texts, a.texts());
  });

  it('keeps the question of a tab that has not heard of the other\'s', async () => {
    const { BroadcastChannel } = globalThis;
    vi.stubGlobal('BroadcastChannel', undefined);
    const deaf = await open_tab();
    vi.stubGlobal('BroadcastChannel', BroadcastChannel);
    await deaf.open(id);
    play = whole('two');
    await a.ask(id, 'second', []);
    deaf.rename(id, 'renamed');
    await becomes(deaf.texts, ['first', 'one', 'second', 'two']);
    await settle();
    const fresh = await open_tab();
    await fresh.open(id);
    expect([titles(fresh), fresh.texts()]).toEqual([['renamed'], ['first', 'one', 'second', 'two']]);
  });

  it('does not come back once it is deleted, whatever the other tab is doing', async () => {
    let tell: Tell = () => {};
    play = (say) => (tell = say);
    const asked = a.ask(id, 'second', []);
    await becomes(() => b.last().state, 'streaming');
    await b.remove(id);
    tell(piece('more'));
    await a.keep(id);
    b.stop(id);
    await asked;
    await settle();
    expect([titles(a), titles(b), a.current.value.messages]).toEqual([[], [], []]);
    const fresh = await open_tab();
    expect(titles(fresh)).toEqual([]);
  });

  it('leaves what is being written where it can be sent', async () => {
    b.draft_of(id).text.value = 'half a question';
    await a.remove(id);
    await becomes(() => b.current.value.messages, []);
    expect(b.draft_of(b.current.value.id).text.value).toBe('half a question');
  });

  it('does not come back by a change in the other tab', async () => {
    const removed = a.remove(id);
    b.rename(id, 'back?');
    await removed;
    await becomes(() => titles(b), []);
    await settle();
    expect(titles(await open_tab())).toEqual([]);
  });

  it('is written by nobody while both rest', async () => {
    const put = vi.spyOn(IDBObjectStore.prototype, 'put');
    a.rename(id, 'once');
    await becomes(() => b.current.value.title, 'once');
    await settle();
    expect(put).toHaveBeenCalledTimes(1);
    put.mockRestore();
  });
});

it('where the browser has no room, the conversation goes on, and is kept as soon as there is some', async () => {
  const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  play = whole('two');
  await a.ask(id, 'second', []);
  expect(a.texts()).toEqual(['first', 'one', 'second', 'two']);
  put.mockRestore();
  await a.keep(id);
  await b.open(id);
  expect(b.texts()).toEqual(['first', 'one', 'second', 'two']);
});
