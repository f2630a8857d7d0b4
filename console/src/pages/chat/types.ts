// What is kept of a conversation, in the browser and in exported files.

export interface Attachment {
  name: string;
  text: string;
}

/// The answer went on at another node from this character on.
export interface Moved {
  at: number;
  node_id: string;
  name: string;
  cause: string;
}

/// `cut`: it ended before the model had finished, and not because somebody stopped it.
export type AnswerState = 'streaming' | 'done' | 'stopped' | 'cut' | 'failed';

export interface Question {
  id: string;
  role: 'user';
  text: string;
  attachments: readonly Attachment[];
}

export interface Answer {
  id: string;
  role: 'assistant';
  text: string;
  thinking: string;
  state: AnswerState;
  moved: Moved[];
  error?: string; // the node's sentence
  ended_by_limit?: boolean; // max_tokens, or the model's context
  model?: string;
  node_id?: string;
  node_name?: string; // as it was then
  tokens?: number;
  tokens_per_s?: number;
  first_ms?: number; // from the question to the first piece
}

export type Message = Question | Answer;

/// Absent: the node's default, and nothing is sent.
export interface Settings {
  system?: string;
  temperature?: number;
  top_p?: number;
  max_tokens?: number;
  seed?: number;
}

export interface Conversation {
  id: string;
  title: string;
  model: string; // "auto", or a model's id
  updated: number; // unix ms
  messages: Message[];
  settings: Settings;
}

/// What the list shows.
export type Entry = Pick<Conversation, 'id' | 'title' | 'updated'>;

export const automatic = 'auto';

/// Also where the page came by plain HTTP, which has no crypto.randomUUID.
export function new_id(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((one) => one.toString(16).padStart(2, '0')).join('');
}

export function new_conversation(model: string, settings: Settings = {}): Conversation {
  return { id: new_id(), title: '', model, updated: Date.now(), messages: [], settings };
}

const longest_title = 60;

/// The first words of the first question.
export function title_of(question: string): string {
  const line = question.trim().replace(/\s+/g, ' ');
  if (line.length <= longest_title) return line || 'A file';
  const cut = line.slice(0, longest_title);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), longest_title / 2))}…`;
}
