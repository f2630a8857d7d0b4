// The one connection to /api/events, and what it has told, as signals. It is opened when the page starts and opened
// again when it ends; nothing is polled.
import { computed, signal } from '@preact/signals';
import { begin_session } from '../api/access';
import { ApiError, send } from '../api/client';
import { events_of } from '../api/event_stream';
import { type LiveState, apply, nothing_yet } from './state';
import type { LiveEvent } from './types';

const first_wait_ms = 500;
const longest_wait_ms = 5_000;
const silence_ms = 40_000; // the node says something every 15 s
const hidden_ms = 30_000;

export type Link = 'connecting' | 'live' | 'lost' | 'refused';

const state = signal<LiveState>(nothing_yet);

export const link = signal<Link>('connecting');
/// What the node has said instead of letting this page look; empty where it said nothing.
export const turned_away = signal('');
export const hello = computed(() => state.value.hello);
export const status = computed(() => state.value.status);
export const peers = computed(() => state.value.peers);
export const deployments = computed(() => state.value.deployments);
export const models = computed(() => state.value.models);
export const sharing = computed(() => state.value.sharing);
export const requests = computed(() => state.value.requests);
export const asking = computed(() => state.value.asking);
export const log = computed(() => state.value.log);

/// This page may change things at the node.
export const may_change = computed(() => state.value.hello?.may_change ?? false);

/// What people call a node.
export function name_of(node_id: string): string {
  return peers.value.get(node_id)?.name || node_id.slice(0, 8);
}

/// Also for what a request has answered before the stream tells it.
export function take(event: LiveEvent): void {
  state.value = apply(state.value, event);
}

let wants_log = false;
let current: AbortController | null = null;
let asked_anew = false; // the connection was ended here, to be opened once more
let wake: (() => void) | null = null; // from the pause between two connections

/// Log lines come only while somebody looks at them.
export function want_log(wanted: boolean): void {
  if (wants_log === wanted) return;
  wants_log = wanted;
  if (current) reconnect();
}

/// Once more, now: with another key.
export function reconnect(): void {
  asked_anew = true;
  current?.abort();
  wake?.();
}

/// One event that this page cannot read (of a newer node) must not take the others along.
function take_if_whole(event: string, data: string): void {
  try {
    take({ event, data: JSON.parse(data) } as LiveEvent);
  } catch (error) {
    console.warn(`the event "${event.slice(0, 40)}" is not as it should be`, error);
  }
}

async function listen(): Promise<void> {
  const mine = new AbortController();
  current = mine;
  let silent = setTimeout(() => mine.abort(), silence_ms);
  const is_there = () => {
    clearTimeout(silent);
    silent = setTimeout(() => mine.abort(), silence_ms);
  };
  try {
    const answer = await send('GET', wants_log ? '/api/events?logs=1' : '/api/events', undefined, mine.signal);
    link.value = 'live';
    turned_away.value = '';
    for await (const { event, data } of events_of(answer, is_there)) {
      is_there();
      if (event) take_if_whole(event, data);
    }
  } finally {
    clearTimeout(silent);
    if (current === mine) current = null;
  }
}

let resting = false;

/// A browser opens six connections to a node and no more, and all its tabs share them: a tab that nobody sees gives its own
/// back, or the seventh could not even ask.
function rest_while_hidden(): void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(waiting);
    if (document.hidden) {
      waiting = setTimeout(() => {
        resting = true;
        current?.abort();
      }, hidden_ms);
    } else if (resting) {
      resting = false;
      reconnect();
    }
  });
}

/// Until `reconnect`, or for so long.
function pause(ms?: number): Promise<void> {
  return new Promise((done) => {
    const timer = ms === undefined ? undefined : setTimeout(done, ms);
    wake = () => {
      clearTimeout(timer);
      done();
    };
  });
}

/// Never returns.
export async function run(): Promise<never> {
  rest_while_hidden();
  await begin_session();
  for (let wait = first_wait_ms; ; ) {
    const began = Date.now();
    let refused = false;
    asked_anew = false;
    try {
      await listen();
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      refused = status === 401;
      turned_away.value = status > 0 && !refused ? (error as ApiError).message : '';
    }
    if (resting) {
      await pause();
      await begin_session();
      continue;
    }
    if (asked_anew) continue;
    link.value = refused ? 'refused' : 'lost';
    wait = Date.now() - began > longest_wait_ms ? first_wait_ms : Math.min(wait * 2, longest_wait_ms);
    await (refused ? pause() : pause(wait)); // the same key would be refused again
    if (!refused) await begin_session(); // a node that was restarted has forgotten its tokens
  }
}
