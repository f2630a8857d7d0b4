import { beforeEach, describe, expect, it } from 'vitest';
import { take_files } from '../src/pages/chat/attachments';
import * as chats from '../src/pages/chat/chats';
import { attach, detach, draft_of, empty_draft } from '../src/pages/chat/drafts';

const file = (name: string, read: () => Promise<string> = async () => name) =>
  ({ name, size: 1, arrayBuffer: async () => new TextEncoder().encode(await read()).buffer }) as unknown as File;
const names = (id: string) => draft_of(id).attached.value.map((one) => one.name);

beforeEach(() => ['a', 'b'].forEach(empty_draft));

describe('a question that is not sent yet', () => {
  it('keeps its text and files apart from those of other conversations', async () => {
    draft_of('a').text.value = 'half a';
    await attach('a', [file('one')]);
    await attach('b', [file('two')]);
    expect([draft_of('a').text.value, draft_of('b').text.value]).toEqual(['half a', '']);
    expect([names('a'), names('b')]).toEqual([['one'], ['two']]);
    empty_draft('a');
    expect([names('a'), names('b')]).toEqual([[], ['two']]);
  });

  it('takes files in the order in which they were given, however long reading takes', async () => {
    let go_on = () => {};
    const slow = file('slow', () => new Promise((done) => (go_on = () => done('x'))));
    const both = [attach('a', [slow]), attach('a', [file('quick')])];
    await Promise.resolve();
    go_on();
    await Promise.all(both);
    expect(names('a')).toEqual(['slow', 'quick']);
    detach('a', 0);
    expect(names('a')).toEqual(['quick']);
  });

  it('is what "New" comes back to', () => {
    const { id } = chats.current.value;
    draft_of(id).text.value = 'half';
    chats.new_chat();
    expect(chats.current.value.id).toBe(id);
    empty_draft(id);
    chats.new_chat();
    expect(chats.current.value.id).not.toBe(id);
  });
});

it('what cannot be read (a folder, a file that is gone) is told', async () => {
  const { attachments, refused } = await take_files([file('folder', () => Promise.reject(new DOMException('gone', 'NotFoundError'))), file('b')], []);
  expect([attachments.map((one) => one.name), refused]).toEqual([['b'], ['folder can’t be read.']]);
});
