// The page's address stands after #, and so does what a link gives a page (`#/share?join=…`): that way it reaches no
// server and no server's log. Which page it is does not depend on it.
import { useHashLocation } from 'wouter-preact/use-hash-location';

export function use_hash_place(): [string, (to: string, options?: { replace?: boolean; state?: unknown }) => void] {
  const [place, go] = useHashLocation();
  return [place.split('?')[0] ?? '/', go];
}

use_hash_place.hrefs = (href: string) => `#${href}`;

/// What the address gives the page under this name; empty: nothing.
export function place_parameter(name: string, hash = location.hash): string {
  const start = hash.indexOf('?');
  return start < 0 ? '' : (new URLSearchParams(hash.slice(start + 1)).get(name) ?? '');
}
