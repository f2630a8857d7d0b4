// What is pure of the chat page.
import { describe, expect, it } from 'vitest';
import type { Deployment, ModelRow, Peer } from '../src/live/types';
import { AnswerError, begin, chunk_of, end, take } from '../src/pages/chat/answer';
import { max_file_bytes, take_files } from '../src/pages/chat/attachments';
import { as_json, as_markdown, file_name, from_json } from '../src/pages/chat/export';
import { own_model_is_here, second_machine_is_here } from '../src/pages/chat/first_steps';
import { choices } from '../src/pages/chat/model_choice';
import { fenced, request_of } from '../src/pages/chat/request';
import { type Answer, type Conversation, type Message, new_conversation, new_id, title_of } from '../src/pages/chat/types';

const empty: Answer = { id: 'a', role: 'assistant', text: '', thinking: '', state: 'streaming', moved: [] };
const piece = (content: string) => ({ choices: [{ delta: { content } }] });
const finish = (finish_reason: string) => ({ choices: [{ delta: {}, finish_reason }] });

describe('an answer', () => {
  it('is its pieces, with the time to the first and the tokens per second', () => {
    let at = begin(empty, 1_000);
    at = take(at, { model: 'm', choices: [{ delta: { content: null } }] }, 1_050);
    at = take(at, piece('a'), 1_200);
    at = take(at, piece('b'), 2_200);
    at = take(at, finish('stop'), 2_201);
    at = take(at, { choices: [], usage: { completion_tokens: 11 } }, 2_202);
    expect(end(at, 'ended')).toMatchObject({ text: 'ab', state: 'done', model: 'm', tokens: 11, tokens_per_s: 10, first_ms: 200 });
  });

  it('keeps where it moved', () => {
    let at = take(begin(empty, 0), piece('ab'), 1);
    at = take(at, { ...piece('c'), starling: { moved_to: { node_id: 'n', name: 'attic' }, cause: 'gone' } }, 2);
    expect(at.answer.moved).toEqual([{ at: 2, node_id: 'n', name: 'attic', cause: 'gone' }]);
  });

  it('that thinks keeps it apart', () => {
    const at = take(begin(empty, 0), { choices: [{ delta: { reasoning_content: 'hm' } }] }, 5);
    expect(at.answer).toMatchObject({ text: '', thinking: 'hm', first_ms: 5 });
  });

  it('says how it ended', () => {
    const some = take(begin(empty, 0), piece('a'), 1);
    expect(end(some, 'stopped').state).toBe('stopped');
    expect(end(some, 'ended')).toMatchObject({ state: 'cut', text: 'a' });
    expect(end(some, 'ended', 'Gone.')).toMatchObject({ state: 'cut', error: 'Gone.' });
    expect(end(begin(empty, 0), 'ended', 'No.')).toMatchObject({ state: 'failed', error: 'No.' });
    expect(end(take(some, finish('length'), 2), 'ended')).toMatchObject({ state: 'done', ended_by_limit: true });
    expect(() => take(some, { error: { message: 'Full.' } }, 2)).toThrow(AnswerError);
  });

  it('takes nothing that is no part of one', () => {
    for (const data of ['', '{', 'null', '5', '"x"', '[DONE']) expect(() => chunk_of(data)).toThrow(AnswerError);
    const odd = '{"model":{},"choices":[{"delta":{"content":{"a":1},"reasoning_content":7}}],"usage":{"completion_tokens":"9"},"starling":{"moved_to":{"node_id":["x"],"name":{}},"cause":3}}';
    const at = take(begin(empty, 0), chunk_of(odd), 1);
    expect(at.answer).toEqual({ ...empty, moved: [{ at: 0, node_id: '', name: '', cause: '' }] });
    expect(() => take(at, chunk_of('{"error":{"message":{"a":1}}}'), 2)).toThrow('The node ended the answer with an error.');
  });

  it('that was stopped counts its pieces', () => {
    const at = ['a', 'b', 'c'].reduce((before, text, index) => take(before, piece(text), index * 500), begin(empty, 0));
    expect(end(at, 'stopped')).toMatchObject({ tokens: 3, tokens_per_s: 2 });
  });

  it('that goes on adds to what it had', () => {
    let at = begin({ ...empty, text: 'a', tokens: 4, first_ms: 9 }, 0);
    at = take(take(at, piece('b'), 100), finish('stop'), 200);
    at = take(at, { choices: [], usage: { completion_tokens: 6 } }, 201);
    expect(end(at, 'ended')).toMatchObject({ text: 'ab', tokens: 10, first_ms: 9 });
  });
});

const question = (text: string): Message => ({ id: new_id(), role: 'user', text, attachments: [] });

describe('a request', () => {
  const conversation: Conversation = { ...new_conversation('auto'), messages: [question('a')] };

  it('has only what was set', () => {
    expect(request_of(conversation, conversation.messages, false)).toEqual({
      model: 'auto',
      messages: [{ role: 'user', content: 'a' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    const sent = request_of({ ...conversation, settings: { system: 's', temperature: 0 } }, conversation.messages, false);
    expect(sent).toMatchObject({ temperature: 0, messages: [{ role: 'system', content: 's' }, { role: 'user' }] });
    expect(sent).not.toHaveProperty('system');
  });

  it('leaves out answers that never came, and asks to go on after one that was cut', () => {
    const sent = request_of(conversation, [question('a'), empty, question('b'), { ...empty, text: 'half' }], true);
    expect(sent['messages']).toEqual([
      { role: 'user', content: 'a\n\nb' },
      { role: 'assistant', content: 'half' },
      { role: 'user', content: expect.stringContaining('Continue') },
    ]);
  });

  it('puts a file into a fence that it cannot leave', () => {
    expect(fenced({ name: 'a.md', text: '```js\n`````\n' })).toBe('``````md a.md\n```js\n`````\n``````');
    expect(fenced({ name: 'x`\ny', text: 'z' })).toBe('``` xy\nz\n```');
  });
});

describe('files', () => {
  const file = (name: string, content: BlobPart) => new File([content], name);

  it('are taken where they are text and small', async () => {
    const { attachments, refused } = await take_files(
      [file('a.txt', 'ä'), file('b.bin', new Uint8Array([1, 0, 2])), file('c.bin', new Uint8Array([255, 254])), file('d', 'x'.repeat(max_file_bytes + 1))],
      [],
    );
    expect(attachments).toEqual([{ name: 'a.txt', text: 'ä' }]);
    expect(refused).toHaveLength(3);
  });

  it('are 1 MB together at most', async () => {
    const { attachments, refused } = await take_files(Array.from({ length: 5 }, (_, i) => file(`${i}`, 'x'.repeat(max_file_bytes))), []);
    expect([attachments.length, refused.length]).toEqual([4, 1]);
  });
});

describe('files of conversations', () => {
  const moved = [{ at: 1, node_id: 'n', name: 'attic', cause: 'gone' }];
  const conversation: Conversation = {
    ...new_conversation('m', { system: 's', seed: 3 }),
    title: 'Über: "x"/y',
    messages: [question('a'), { ...empty, text: 'b', state: 'done', moved, model: 'm', node_name: 'desk', tokens: 2 }],
  };

  it('come back as they went', () => expect(from_json(as_json([conversation]))).toEqual([conversation]));

  it.each(['', '[]', '{}', 'null', '{"format":"starling-conversations"}'])('%j is none, in one sentence', (content) => {
    expect(() => from_json(content)).toThrow(/^This file .*\.$/);
  });

  it.each([{}, { messages: [{}] }, { messages: [{ role: 'tool', text: '' }] }, { messages: 1 }, null])('a conversation such as %j is refused', (one) => {
    expect(() => from_json(JSON.stringify({ format: 'starling-conversations', conversations: [one] }))).toThrow('Conversation 1');
  });

  it('takes nothing over that is not of the form', () => {
    const [found] = from_json(
      '{"format":"starling-conversations","conversations":[{"messages":[{"role":"assistant","text":"x","moved":[5,{"at":"y"}],"tokens":"z","evil":1}],"settings":{"seed":"x","stream":false},"__proto__":{"a":1}}]}',
    );
    expect(found?.messages[0]).toEqual({ id: expect.any(String), role: 'assistant', text: 'x', thinking: '', state: 'done', moved: [{ at: 0, node_id: '', name: '', cause: '' }] });
    expect(found?.settings).toEqual({});
  });

  it('have each message once, and none is from tomorrow', () => {
    const twice = { id: 'a', role: 'user', text: 'x' };
    const file = { format: 'starling-conversations', conversations: [{ title: 't'.repeat(1e5), updated: 1e300, messages: [twice, twice] }] };
    const [found] = from_json(JSON.stringify(file));
    expect(new Set(found?.messages.map(({ id }) => id)).size).toBe(2);
    expect(found?.updated).toBeLessThanOrEqual(Date.now());
    expect(found?.title.length).toBeLessThanOrEqual(200);
  });

  it('are Markdown too', () => {
    expect(as_markdown(conversation)).toBe('# Über: "x"/y\n\n> s\n\n## Question\n\na\n\n## Answer (m on desk)\n\nb\n');
    expect(file_name(conversation, 'md')).toBe('über-x-y.md');
  });

  it('are named by the first words', () => {
    expect(title_of('  a\nb ')).toBe('a b');
    expect(title_of('word '.repeat(40)).length).toBeLessThanOrEqual(61);
  });
});

const row = (id: string, here: ModelRow['here'], nodes = 0): ModelRow => ({
  id, here, nodes, source: id, size_bytes: null, context_length: null, progress: 0.4, requests: 0, request_rate_per_min: 0, last_active_s: null, can_load: false, can_unload: false,
});

describe('models', () => {
  it('are those that can be asked, with where they run', () => {
    const chain = { model: 'big', state: 'serving', stages: [{}, {}, {}] } as unknown as Deployment;
    const rows = [row('a', 'on_disk'), row('b', 'failed'), row('c', 'none', 3), row('d', 'ready'), row('e', 'ready', 1), row('f', 'standby'), row('g', 'loading'), row('big', 'ready'), row('h', 'none')];
    expect(choices(rows, [chain])).toEqual([
      { id: 'big', where: 'over 3 machines' },
      { id: 'c', where: 'on 3 machines' },
      { id: 'd', where: 'here' },
      { id: 'e', where: 'here and on 1 machine' },
      { id: 'f', where: 'here, starts when asked' },
      { id: 'g', where: 'loading, 40 %' },
    ]);
  });

  it('and machines tell which of the first steps are done', () => {
    expect(own_model_is_here([row('starter', 'ready')])).toBe(false);
    expect(own_model_is_here([row('starter', 'ready'), row('x', 'none')])).toBe(false);
    expect(own_model_is_here([row('x', 'on_disk')])).toBe(true);
    const peer = (state: Peer['state']) => ({ state }) as Peer;
    expect(second_machine_is_here([peer('alive'), peer('dead')])).toBe(false);
    expect(second_machine_is_here([peer('alive'), peer('suspect')])).toBe(true);
  });
});
