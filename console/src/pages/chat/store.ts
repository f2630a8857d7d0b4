// Where conversations are kept: IndexedDB, or memory where the browser does not lend it (a private window).
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { Conversation, Entry } from './types';

export interface Store {
  readonly lasting: boolean; // also after the page is closed
  list(): Promise<Entry[]>; // newest first
  get(id: string): Promise<Conversation | undefined>;
  all(): Promise<Conversation[]>;
  put(conversation: Conversation): Promise<void>;
  remove(id: string): Promise<void>;
  clear(): Promise<void>;
}

interface Schema extends DBSchema {
  conversations: { key: string; value: Conversation; indexes: { by_updated: [number, string] } };
}

class BrowserStore implements Store {
  readonly lasting = true;
  constructor(private readonly db: IDBPDatabase<Schema>) {}

  /// From the index alone: a list of long conversations does not read them.
  async list(): Promise<Entry[]> {
    const entries: Entry[] = [];
    const index = this.db.transaction('conversations').store.index('by_updated');
    for (let at = await index.openKeyCursor(null, 'prev'); at; at = await at.continue()) {
      const [updated, title] = at.key;
      entries.push({ id: at.primaryKey, title, updated });
    }
    return entries;
  }

  get = (id: string) => this.db.get('conversations', id);
  all = () => this.db.getAll('conversations');
  remove = (id: string) => this.db.delete('conversations', id);
  clear = () => this.db.clear('conversations');

  async put(conversation: Conversation): Promise<void> {
    await this.db.put('conversations', conversation);
  }
}

export class MemoryStore implements Store {
  readonly lasting = false;
  private readonly kept = new Map<string, Conversation>();

  async list(): Promise<Entry[]> {
    return [...this.kept.values()].map(({ id, title, updated }) => ({ id, title, updated })).sort((a, b) => b.updated - a.updated);
  }
  async get(id: string): Promise<Conversation | undefined> {
    return this.kept.get(id);
  }
  async all(): Promise<Conversation[]> {
    return [...this.kept.values()];
  }
  async put(conversation: Conversation): Promise<void> {
    this.kept.set(conversation.id, conversation);
  }
  async remove(id: string): Promise<void> {
    this.kept.delete(id);
  }
  async clear(): Promise<void> {
    this.kept.clear();
  }
}

/// Never throws.
export async function open_store(): Promise<Store> {
  try {
    const db = await openDB<Schema>('starling', 1, {
      upgrade: (fresh) => {
        fresh.createObjectStore('conversations', { keyPath: 'id' }).createIndex('by_updated', ['updated', 'title']);
      },
    });
    return new BrowserStore(db);
  } catch {
    return new MemoryStore();
  }
}
