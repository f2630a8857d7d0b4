// What GET /api/about has told. It does not change while the node runs: it is asked once for each start of it.
import { effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get } from '../../api/client';
import { hello } from '../../live/live';
import type { About } from '../../live/types';

export const about = signal<About | null>(null);
export const about_failure = signal('');

async function ask(signal: AbortSignal): Promise<void> {
  try {
    about.value = await get<About>('/api/about', signal);
    about_failure.value = '';
  } catch (error) {
    if (!signal.aborted) about_failure.value = error instanceof Error ? error.message : String(error);
  }
}

export function use_about(): void {
  useEffect(() => {
    let asked = new AbortController();
    const stop = effect(() => {
      if (!hello.value) return;
      asked.abort();
      asked = new AbortController();
      void ask(asked.signal);
    });
    return () => {
      stop();
      asked.abort();
    };
  }, []);
}
