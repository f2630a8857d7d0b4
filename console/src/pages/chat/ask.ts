// Questions to the node, and their answers into the conversation: at most one change for each frame that the browser draws.
import { computed, signal } from '@preact/signals';
import { send } from '../../api/client';
import { events_of } from '../../api/event_stream';
import { name_of } from '../../live/live';
import { AnswerError, type Progress, begin, chunk_of, end, take } from './answer';
import { change, keep, look, look_again } from './chats';
import { request_of } from './request';
import { elsewhere, set_answering, tell_answering, tell_stop, when_stopped } from './tabs';
import { type Answer, type Attachment, type Message, new_id, title_of } from './types';

const keep_every_ms = 2_000; // of an answer that is coming
const hidden_every_ms = 500; // a page that nobody sees draws no frames
const costly_ms = 12; // a drawing that takes longer is followed by a rest of some times its length
const rest_factor = 3;

const here = signal<ReadonlySet<string>>(new Set());
/// Conversations whose answer is coming, to this tab or to another.
export const running = computed<ReadonlySet<string>>(() => new Set([...here.value, ...elsewhere.value]));
/// For screen readers: an answer has ended.
export const announcement = signal('');

const controllers = new Map<string, AbortController>();

export function stop(id: string): void {
  if (elsewhere.peek().has(id)) tell_stop(id);
  controllers.get(id)?.abort();
}

when_stopped((id) => controllers.get(id)?.abort());

function set_running(id: string, on: boolean): void {
  const next = new Set(here.peek());
  if (on) next.add(id);
  else next.delete(id);
  here.value = next;
}

function replace_answer(id: string, answer: Answer): void {
  change(id, (before) => ({
    ...before,
    messages: before.messages.map((one) => (one.id === answer.id ? answer : one)),
  }));
}

function fresh_answer(): Answer {
  return { id: new_id(), role: 'assistant', text: '', thinking: '', state: 'streaming', moved: [] };
}

/// At most one drawing for each frame, and fewer where it takes long: the page stays quick whatever comes.
function draw_by_frames(draw: () => void): { soon: () => void; end: () => void } {
  let waiting = false;
  let over = false;
  let not_before = 0;
  const go = () => {
    waiting = false;
    if (over) return;
    const began = performance.now();
    draw();
    setTimeout(() => {
      const cost = performance.now() - began; // with what the page did for it
      if (cost > costly_ms) not_before = performance.now() + Math.min(1_000, cost * rest_factor);
    });
  };
  const soon = () => {
    if (waiting || over) return;
    waiting = true;
    const rest = not_before - performance.now();
    if (document.hidden) setTimeout(go, hidden_every_ms);
    else if (rest > 0) setTimeout(() => requestAnimationFrame(go), rest);
    else requestAnimationFrame(go);
  };
  return { soon, end: () => (over = true) };
}

/// Runs `answer`, which is the last message, to its end. Never throws.
async function run(id: string, answer: Answer, continuing: boolean): Promise<void> {
  const conversation = look(id);
  if (!conversation || controllers.has(id)) return;
  const controller = new AbortController();
  controllers.set(id, controller);
  set_running(id, true);
  set_answering(id, true);
  announcement.value = 'The model is answering.';
  let progress: Progress = begin(answer, performance.now());
  const drawing = draw_by_frames(() => replace_answer(id, progress.answer));
  const keeping = setInterval(() => {
    tell_answering();
    void keep(id).then(() => look(id) ?? controller.abort()); // deleted in another tab: nobody waits for it
  }, keep_every_ms);
  const messages: Message[] = continuing ? conversation.messages : conversation.messages.slice(0, -1);
  let last: Answer;
  try {
    const response = await send('POST', '/v1/chat/completions', request_of(conversation, messages, continuing), controller.signal);
    const node_id = response.headers.get('x-starling-node');
    if (node_id) progress = { ...progress, answer: { ...progress.answer, node_id, node_name: name_of(node_id) } };
    for await (const { data } of events_of(response)) {
      if (data === '[DONE]') break;
      progress = take(progress, chunk_of(data), performance.now());
      drawing.soon();
    }
    last = end(progress, 'ended');
  } catch (error) {
    if (controller.signal.aborted) last = end(progress, 'stopped');
    else last = end(progress, 'ended', sentence(error));
  }
  drawing.end();
  clearInterval(keeping);
  controllers.delete(id);
  replace_answer(id, last);
  change(id, (before) => ({ ...before, updated: Date.now() }));
  set_running(id, false);
  announcement.value = last.error ?? `The answer ${last.state === 'stopped' ? 'was stopped' : 'is finished'}. ${last.text.slice(0, 600)}`;
  await keep(id);
  if (controllers.has(id)) return; // the next answer has begun
  set_answering(id, false);
  look_again(id);
}

function sentence(error: unknown): string {
  if (error instanceof AnswerError || (error instanceof Error && error.name === 'ApiError')) return error.message;
  return 'The connection to the node was lost before the answer had ended.';
}

export async function ask(id: string, text: string, attachments: readonly Attachment[]): Promise<void> {
  if (controllers.has(id)) return;
  const answer = fresh_answer();
  change(id, (before) => ({
    ...before,
    title: before.title || title_of(text || (attachments[0]?.name ?? '')),
    updated: Date.now(),
    messages: [...before.messages, { id: new_id(), role: 'user', text, attachments }, answer],
  }));
  void keep(id);
  await run(id, answer, false);
}

/// The last answer once more, from its beginning.
export async function again(id: string): Promise<void> {
  if (controllers.has(id)) return;
  const answer = fresh_answer();
  change(id, (before) => ({ ...before, messages: [...without_last_answer(before.messages), answer] }));
  await run(id, answer, false);
}

function without_last_answer(messages: readonly Message[]): Message[] {
  return messages.at(-1)?.role === 'assistant' ? messages.slice(0, -1) : [...messages];
}

/// Goes on with an answer that was cut, stopped or ended by its limit.
export async function go_on(id: string): Promise<void> {
  const last = look(id)?.messages.at(-1);
  if (controllers.has(id) || last?.role !== 'assistant') return;
  const { error: _error, ended_by_limit: _limit, ...kept } = last;
  const answer: Answer = { ...kept, state: 'streaming' };
  replace_answer(id, answer);
  await run(id, answer, true);
}

/// A question changed: what followed it goes.
export async function ask_instead(id: string, question_id: string, text: string): Promise<void> {
  const before = look(id);
  const at = before?.messages.findIndex((one) => one.id === question_id) ?? -1;
  const question = before?.messages[at];
  if (controllers.has(id) || question?.role !== 'user') return;
  const answer = fresh_answer();
  change(id, (one) => ({ ...one, updated: Date.now(), messages: [...one.messages.slice(0, at), { ...question, text }, answer] }));
  void keep(id);
  await run(id, answer, false);
}
