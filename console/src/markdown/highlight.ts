// Colours for code, by a part of the page that is fetched when the first code appears.
import type { ComponentChild } from 'preact';

type Highlight = (language: string, text: string) => ComponentChild;

let loading: Promise<Highlight> | undefined;
let loaded: Highlight | undefined;

export const max_highlighted = 40_000; // characters; more stays plain

export function highlighter(): Highlight | undefined {
  return loaded;
}

export async function load_highlighter(): Promise<Highlight> {
  loading ??= import('./highlight_languages').then((part) => (loaded = part.highlight));
  return loading.catch((error: unknown) => {
    loading = undefined; // the node was away: the next code tries again
    throw error;
  });
}
