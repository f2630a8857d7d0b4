// A page's file comes from the node when the page is first opened. A node that restarts just then sends it a moment later.
import { effect } from '@preact/signals';
import { link } from '../live/live';

const tries = 3;
const rest_ms = 1_000;

function node_is_there(): Promise<void> {
  return new Promise((done) => {
    const stop = effect(() => {
      if (link.value === 'live') queueMicrotask(() => (stop(), done()));
    });
  });
}

export async function page_file<T>(load: () => Promise<T>): Promise<T> {
  for (let left = tries; ; left -= 1) {
    try {
      return await load();
    } catch (error) {
      if (left <= 1) throw error; // it has no such file any more: a newer one, whose page has to be loaded
      await new Promise((done) => setTimeout(done, rest_ms));
      await node_is_there();
    }
  }
}
