// What GET /api/about has told. It does not change while the node runs: it is asked once for each start of it.
import { effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { read_only_reason } from '../../api/access';
import { get } from '../../api/client';
import { hello } from '../../live/live';
import type { About } from '../../live/types';
import { sentence_of } from '../../ui/toast';

export const about = signal<About | null>(null);
export const about_failure = signal('');

async function ask(signal: AbortSignal): Promise<void> {
  try {
    about.value = await get<About>('/api/about', signal);
    about_failure.value = '';
  } catch (error) {
    if (!signal.aborted) about_failure.value = sentence_of(error);
  }
}

export function use_about(): void {
  useEffect(() => {
    let asked = new AbortController();
    const stop = effect(() => {
      const greeting = hello.value;
      asked.abort();
      if (!greeting) return;
      if (!greeting.may_change) {
        // To ask all the same would bring up the question for a key, which the node may not want.
        about_failure.value = read_only_reason.value || 'it lets this page only look.';
        return;
      }
      asked = new AbortController();
      void ask(asked.signal);
    });
    return () => {
      stop();
      asked.abort();
    };
  }, []);
}
