// An answer as it comes: (answer, chunk, time) → answer. Pure; chunks are those of /v1/chat/completions with stream.
import type { Answer, Moved } from './types';

export interface Chunk {
  model?: string;
  choices?: {
    delta?: { content?: string | null; reasoning_content?: string | null };
    finish_reason?: string | null;
  }[];
  usage?: { completion_tokens?: number } | null;
  starling?: { moved_to?: { node_id?: string; name?: string }; cause?: string };
  error?: { message?: string };
}

/// What is known only while it comes.
export interface Progress {
  answer: Answer;
  sent_at: number; // ms, of one clock
  first_at: number | null;
  last_at: number;
  pieces: number;
  tokens_before: number; // of the part that is being continued
  finished: boolean; // the model has said so
}

export class AnswerError extends Error {}

const most_moves = 100; // more are no answer that somebody reads

/// Of one event of the stream. Throws an AnswerError.
export function chunk_of(data: string): Chunk {
  try {
    const chunk: unknown = JSON.parse(data);
    if (typeof chunk === 'object' && chunk !== null) return chunk;
  } catch {
    // As below.
  }
  throw new AnswerError('The node has sent something that is no part of an answer.');
}

const text_in = (value: unknown): string => (typeof value === 'string' ? value : '');

export function begin(answer: Answer, now: number): Progress {
  return { answer, sent_at: now, first_at: null, last_at: now, pieces: 0, tokens_before: answer.tokens ?? 0, finished: false };
}

function moved_mark(chunk: Chunk, at: number): Moved | null {
  const to = chunk.starling?.moved_to;
  if (!to?.node_id) return null;
  return { at, node_id: text_in(to.node_id), name: text_in(to.name), cause: text_in(chunk.starling?.cause) };
}

export function take(progress: Progress, chunk: Chunk, now: number): Progress {
  if (chunk.error) throw new AnswerError(text_in(chunk.error.message) || 'The node ended the answer with an error.');
  const next = { ...progress, answer: { ...progress.answer } };
  const { answer } = next;
  if (text_in(chunk.model)) answer.model = text_in(chunk.model);
  const mark = moved_mark(chunk, answer.text.length);
  if (mark && answer.moved.length < most_moves) answer.moved = [...answer.moved, mark];
  const [choice] = chunk.choices ?? [];
  const text = text_in(choice?.delta?.content);
  const thinking = text_in(choice?.delta?.reasoning_content);
  if (text || thinking) {
    next.first_at ??= now;
    next.last_at = now;
    next.pieces += 1;
    answer.text += text;
    answer.thinking += thinking;
    answer.first_ms ??= Math.max(0, now - next.sent_at);
  }
  if (choice?.finish_reason) {
    next.finished = true;
    if (choice.finish_reason === 'length') answer.ended_by_limit = true;
    if (choice.finish_reason === 'error') next.finished = false;
  }
  if (typeof chunk.usage?.completion_tokens === 'number') count(next, chunk.usage.completion_tokens);
  return next;
}

function count(progress: Progress, tokens: number): void {
  const { answer, first_at, last_at } = progress;
  answer.tokens = progress.tokens_before + tokens;
  const seconds = first_at === null ? 0 : (last_at - first_at) / 1000;
  if (seconds > 0 && tokens > 1) answer.tokens_per_s = (tokens - 1) / seconds; // the first one began the time
}

/// `error`: the sentence to show, where it ended by itself.
export function end(progress: Progress, how: 'ended' | 'stopped', error?: string): Answer {
  const last = { ...progress, answer: { ...progress.answer } };
  const { answer } = last;
  // Without the node's count each piece is taken for a token, which is what nodes send.
  if (last.pieces > 0 && answer.tokens === (progress.tokens_before || undefined)) count(last, last.pieces);
  if (how === 'stopped') answer.state = 'stopped';
  else if (!error && last.finished) answer.state = 'done';
  else {
    answer.state = answer.text || answer.thinking ? 'cut' : 'failed';
    answer.error = error ?? 'The answer ended before the model had finished.';
  }
  return answer;
}
