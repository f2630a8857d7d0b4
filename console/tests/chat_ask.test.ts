// @vitest-environment node
// Questions and answers through a node that is played here.
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { again, ask, ask_instead, go_on, running, stop } from '../src/pages/chat/ask';
import * as chats from '../src/pages/chat/chats';
import { open_store } from '../src/pages/chat/store';
import type { Answer } from '../src/pages/chat/types';

type Play = (tell: (data: unknown) => void, end: (error?: Error) => void) => void;

let play: Play;
let bodies: { messages: { role: string; content: string }[] }[] = [];

function answer_of(signal: AbortSignal): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const encoder = new TextEncoder();
      signal.addEventListener('abort', () => controller.error(new DOMException('aborted', 'AbortError')));
      play(
        (data) => controller.enqueue(encoder.encode(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)),
        (error) => (error ? controller.error(error) : controller.close()),
      );
    },
  });
  return new Response(body, { headers: { 'x-starling-node': 'ab'.repeat(32) } });
}

vi.stubGlobal('document', { hidden: false });
vi.stubGlobal('requestAnimationFrame', (go: () => void) => setTimeout(go, 5));
vi.stubGlobal('fetch', async (_path: string, request: { body: string; signal: AbortSignal }) => {
  bodies.push(JSON.parse(request.body) as (typeof bodies)[number]);
  return answer_of(request.signal);
});

const piece = (content: string) => ({ choices: [{ delta: { content } }] });
const whole = (text: string): Play => (tell, end) => {
  tell(piece(text));
  tell({ choices: [{ delta: {}, finish_reason: 'stop' }] });
  tell('[DONE]');
  end();
};
const last = () => chats.current.value.messages.at(-1) as Answer;
const soon = (ms = 30) => new Promise((done) => setTimeout(done, ms));

beforeEach(async () => {
  await chats.begin();
  await chats.remove_all();
  bodies = [];
});

describe('a question', () => {
  it('is answered, and both are kept', async () => {
    play = whole('b');
    const { id } = chats.current.value;
    await ask(id, 'a', []);
    expect(last()).toMatchObject({ text: 'b', state: 'done', node_name: 'abababab' });
    expect((await (await open_store()).get(id))?.conversation.messages).toHaveLength(2);
    expect(chats.entries.value).toMatchObject([{ id, title: 'a' }]);
    expect(running.value.size).toBe(0);
  });

  it('that is changed takes what followed with it', async () => {
    play = whole('b');
    const { id } = chats.current.value;
    await ask(id, 'a', []);
    await ask(id, 'c', []);
    const [first] = chats.current.value.messages;
    await ask_instead(id, first?.id ?? '', 'd');
    expect(chats.current.value.messages.map((one) => one.text)).toEqual(['d', 'b']);
    await again(id);
    expect(bodies.at(-1)?.messages).toEqual([{ role: 'user', content: 'd' }]);
  });
});

describe('an answer', () => {
  it('that is stopped keeps what has come', async () => {
    play = (tell) => tell(piece('half'));
    const { id } = chats.current.value;
    const asked = ask(id, 'a', []);
    await soon();
    expect(last()).toMatchObject({ text: 'half', state: 'streaming' });
    stop(id);
    await asked;
    expect(last()).toMatchObject({ text: 'half', state: 'stopped' });
  });

  it('that is cut keeps what has come, and goes on', async () => {
    play = (tell, end) => {
      tell(piece('one '));
      setTimeout(() => end(new TypeError('network error')), 10);
    };
    const { id } = chats.current.value;
    await ask(id, 'a', []);
    expect(last()).toMatchObject({ text: 'one ', state: 'cut' });
    play = whole('two');
    await go_on(id);
    expect(last()).toMatchObject({ text: 'one two', state: 'done' });
    expect(last().error).toBeUndefined();
    expect(bodies.at(-1)?.messages.map((one) => one.role)).toEqual(['user', 'assistant', 'user']);
  });

  it('that the node ends with an error shows its sentence', async () => {
    play = (tell, end) => {
      tell({ error: { message: 'No machine has a place free.' } });
      end();
    };
    await ask(chats.current.value.id, 'a', []);
    expect(last()).toMatchObject({ state: 'failed', error: 'No machine has a place free.' });
  });

  it('goes on while another conversation is looked at', async () => {
    let finish = () => {};
    play = (tell, end) => {
      tell(piece('a'));
      finish = () => whole('b')(tell, end);
    };
    const { id } = chats.current.value;
    const asked = ask(id, 'x', []);
    await soon();
    chats.new_chat();
    finish();
    await asked;
    expect(chats.current.value.messages).toEqual([]);
    await chats.open(id);
    expect(last()).toMatchObject({ text: 'ab', state: 'done' });
  });

  it('does not bring a deleted conversation back', async () => {
    play = (tell) => tell(piece('half'));
    const { id } = chats.current.value;
    const asked = ask(id, 'a', []);
    await soon();
    stop(id);
    await chats.remove(id);
    await asked;
    expect(await (await open_store()).list()).toEqual([]);
    expect(chats.entries.value).toEqual([]);
  });

  it('whose page was closed is found as cut', async () => {
    const store = await open_store();
    await store.put({
      id: 'old', title: 't', model: 'auto', updated: 1, settings: {},
      messages: [{ id: 'x', role: 'assistant', text: 'half', thinking: '', state: 'streaming', moved: [] }],
    });
    await chats.open('old');
    expect(last()).toMatchObject({ state: 'cut', text: 'half' });
  });
});

it('the conversation that was chosen last is shown, however long the one before takes to be read', async () => {
  const store = await open_store();
  await store.put({ id: 'slow', title: 't', model: 'auto', updated: 1, settings: {}, messages: [] });
  play = whole('b');
  const { id } = chats.current.value;
  await ask(id, 'a', []);
  const slow = chats.open('slow');
  await Promise.all([chats.open(id), slow]);
  expect(chats.current.value.id).toBe(id);
  const again = chats.open('slow');
  chats.new_chat();
  await again;
  expect(chats.current.value.messages).toEqual([]);
  expect(chats.current.value.id).not.toBe('slow');
});

it('a conversation is listed until it is gone for good', async () => {
  play = whole('an answer');
  await ask(chats.current.value.id, 'a', []);
  const { id } = chats.current.value;
  const removed = chats.remove(id);
  expect(chats.entries.value).toHaveLength(1);
  await removed;
  expect(chats.entries.value).toEqual([]);
  expect(await (await open_store()).list()).toEqual([]);
});
