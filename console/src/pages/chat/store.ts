// Where conversations are kept: IndexedDB, or memory where the browser does not lend it (a private window). Several tabs
// write to the same one, so each conversation has a revision: who writes says upon which one.
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { type Conversation, type Entry, new_id } from './types';

export interface Kept {
  conversation: Conversation;
  revision: string; // another one each time that it is written; empty: written before there were any
}

/// `found`: nothing was written, as that is what stands there (undefined: it is gone).
export type Written = { revision: string } | { found: Kept | undefined };

export interface Store {
  readonly lasting: boolean; // also after the page is closed
  list(): Promise<Entry[]>; // newest first
  get(id: string): Promise<Kept | undefined>;
  all(): Promise<Conversation[]>;
  /// Upon the revision that `base` is, and no other; without one, whatever stands there.
  put(conversation: Conversation, base?: string): Promise<Written>;
  remove(id: string): Promise<void>;
  clear(): Promise<void>;
}

type Row = Conversation & { revision?: string };

interface Schema extends DBSchema {
  conversations: { key: string; value: Row; indexes: { by_updated: [number, string] } };
}

function kept_of(row: Row | undefined): Kept | undefined {
  if (!row) return undefined;
  const { revision = '', ...conversation } = row;
  return { conversation, revision };
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

  get = async (id: string) => kept_of(await this.db.get('conversations', id));
  remove = (id: string) => this.db.delete('conversations', id);
  clear = () => this.db.clear('conversations');

  async all(): Promise<Conversation[]> {
    return (await this.db.getAll('conversations')).map(({ revision: _revision, ...conversation }) => conversation);
  }

  /// Looks and writes in one transaction: no other tab writes in between.
  async put(conversation: Conversation, base?: string): Promise<Written> {
    const writing = this.db.transaction('conversations', 'readwrite');
    const look_and_write = async (): Promise<Written> => {
      if (base !== undefined) {
        const found = kept_of(await writing.store.get(conversation.id));
        if (found?.revision !== base) return { found };
      }
      const revision = new_id();
      await writing.store.put({ ...conversation, revision });
      return { revision };
    };
    const [written] = await Promise.all([look_and_write(), writing.done]);
    return written;
  }
}

export class MemoryStore implements Store {
  readonly lasting = false;
  private readonly kept = new Map<string, Kept>();

  async list(): Promise<Entry[]> {
    const all = await this.all();
    return all.map(({ id, title, updated }) => ({ id, title, updated })).sort((a, b) => b.updated - a.updated);
  }
  async get(id: string): Promise<Kept | undefined> {
    return this.kept.get(id);
  }
  async all(): Promise<Conversation[]> {
    return [...this.kept.values()].map((one) => one.conversation);
  }
  async put(conversation: Conversation, base?: string): Promise<Written> {
    const found = this.kept.get(conversation.id);
    if (base !== undefined && found?.revision !== base) return { found };
    const revision = new_id();
    this.kept.set(conversation.id, { conversation, revision });
    return { revision };
  }
  async remove(id: string): Promise<void> {
    this.kept.delete(id);
  }
  async clear(): Promise<void> {
    this.kept.clear();
  }
}

/// Never throws. `on_lost`: the browser has taken it away (somebody has cleared its data); it may be opened anew.
export async function open_store(on_lost: () => void = () => undefined): Promise<Store> {
  try {
    const db = await openDB<Schema>('starling', 1, {
      upgrade: (fresh) => {
        fresh.createObjectStore('conversations', { keyPath: 'id' }).createIndex('by_updated', ['updated', 'title']);
      },
      terminated: on_lost,
    });
    return new BrowserStore(db);
  } catch {
    return new MemoryStore();
  }
}
