// Conversations in IndexedDB, and without it.
import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { MemoryStore, type Store, open_store } from '../src/pages/chat/store';
import { type Conversation, new_conversation } from '../src/pages/chat/types';

const conversation = (id: string, updated: number): Conversation => ({ ...new_conversation('auto'), id, title: `title ${id}`, updated });

async function check(store: Store): Promise<void> {
  await store.put(conversation('a', 1));
  await store.put(conversation('b', 3));
  await store.put(conversation('c', 2));
  expect(await store.list()).toEqual([
    { id: 'b', title: 'title b', updated: 3 },
    { id: 'c', title: 'title c', updated: 2 },
    { id: 'a', title: 'title a', updated: 1 },
  ]);
  await store.put({ ...conversation('a', 4), title: 'new' });
  expect((await store.list())[0]).toEqual({ id: 'a', title: 'new', updated: 4 });
  expect((await store.get('a'))?.conversation.title).toBe('new');
  await store.remove('a');
  expect(await store.get('a')).toBeUndefined();
  expect(await store.all()).toHaveLength(2);
  await store.clear();
  expect(await store.list()).toEqual([]);
}

describe('the store', () => {
  it('keeps conversations in the browser', async () => {
    const store = await open_store();
    expect(store.lasting).toBe(true);
    await check(store);
  });

  it('keeps them in memory where the browser lends nothing', async () => {
    await check(new MemoryStore());
    const lent = globalThis.indexedDB;
    Object.defineProperty(globalThis, 'indexedDB', { value: undefined, configurable: true });
    expect((await open_store()).lasting).toBe(false);
    Object.defineProperty(globalThis, 'indexedDB', { value: lent, configurable: true });
  });
});
