import { describe, expect, it } from 'vitest';
import { merged, with_known } from '../src/pages/chat/merge';
import { type Answer, type Conversation, type Message, new_conversation } from '../src/pages/chat/types';

const question = (id: string, text = id): Message => ({ id, role: 'user', text, attachments: [] });
const answer = (id: string, text = id): Answer => ({ id, role: 'assistant', text, thinking: '', state: 'done', moved: [] });
const of = (...messages: Message[]): Conversation => ({ ...new_conversation('auto'), id: 'x', title: 't', updated: 1, messages });
const copy = (one: Conversation) => structuredClone(one);
const ids = (one: Conversation) => one.messages.map(({ id }) => id).join(' ');

const base = of(question('q1'), answer('a1'));
const [q1, a1] = base.messages as [Message, Message];
const theirs_with = (...more: Message[]) => ({ ...copy(base), messages: [...copy(base).messages, ...more] });
const mine_with = (...more: Message[]) => ({ ...base, messages: [...base.messages, ...more] });

describe('a conversation that two tabs have changed', () => {
  it('is theirs where nothing was done here', () => {
    const theirs = { ...theirs_with(question('q2')), title: 'new' };
    expect(merged(base, base, theirs)).toBe(theirs);
  });

  it('has what was renamed here and asked there', () => {
    const found = merged(base, { ...base, title: 'renamed' }, theirs_with(question('q2'), answer('a2')));
    expect([found.title, ids(found)]).toEqual(['renamed', 'q1 a1 q2 a2']);
  });

  it('loses no question of either, and each keeps its answer', () => {
    expect(ids(merged(base, mine_with(question('qm'), answer('am')), theirs_with(question('qt'), answer('at'))))).toBe('q1 a1 qm am qt at');
  });

  it('has the newer text of the answer that comes here', () => {
    const before = mine_with(question('q2'), answer('a2', 'on'));
    const mine = { ...before, messages: [...before.messages.slice(0, -1), answer('a2', 'once upon')] };
    const theirs = { ...copy(before), title: 'renamed' };
    const found = merged(before, mine, theirs);
    expect([found.title, found.messages.at(-1)?.text]).toEqual(['renamed', 'once upon']);
  });

  it('lacks what was taken away at either', () => {
    const again_there = { ...copy(base), messages: [question('q1'), answer('b1')] };
    expect(ids(merged(base, mine_with(question('q2'), answer('a2')), again_there))).toBe('q1 b1 q2 a2');
    const changed_here = { ...base, messages: [{ ...q1, text: 'other' } as Message, answer('b1')] };
    const found = merged(base, changed_here, theirs_with(question('q2'), answer('a2')));
    expect([ids(found), found.messages[0]?.text]).toEqual(['q1 b1 q2 a2', 'other']);
  });

  it('keeps an answer that grows here though it was taken away there', () => {
    const mine = { ...base, messages: [q1, { ...a1, text: 'more' } as Message] };
    expect(ids(merged(base, mine, { ...copy(base), messages: [question('q1')] }))).toBe('q1 a1');
  });
});

it('what says the same stays the same object', () => {
  const found = with_known(theirs_with(question('q2')), base);
  expect([found.messages[0] === q1, found.messages[1] === a1, ids(found)]).toEqual([true, true, 'q1 a1 q2']);
});
