// Conversations as files, and back. Pure but for `save_file`.
import { content_of } from './request';
import { type Answer, type Conversation, type Message, type Question, type Settings, automatic, new_id, title_of } from './types';

const format = 'starling-conversations';
export const max_import_bytes = 64 * 1024 * 1024;

export function as_json(conversations: readonly Conversation[]): string {
  return `${JSON.stringify({ format, version: 1, conversations }, null, 2)}\n`;
}

export function as_markdown(conversation: Conversation): string {
  const parts = [`# ${conversation.title || 'Conversation'}`];
  if (conversation.settings.system) parts.push(`> ${conversation.settings.system.replaceAll('\n', '\n> ')}`);
  for (const message of conversation.messages) {
    if (message.role === 'user') parts.push('## Question', content_of(message));
    else {
      const by = [message.model, message.node_name && `on ${message.node_name}`].filter(Boolean).join(' ');
      parts.push(by ? `## Answer (${by})` : '## Answer', message.text);
      if (message.state === 'stopped') parts.push('*Stopped.*');
      if (message.error) parts.push(`*${message.error}*`);
    }
  }
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

export function file_name(conversation: Conversation, ending: string): string {
  const words = conversation.title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '');
  return `${words.slice(0, 60) || 'conversation'}.${ending}`;
}

export function save_file(name: string, content: string, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

type Fields = Record<string, unknown>;

const is_fields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(is_fields) : []);

const longest_title = 200; // as one can give it here
const most_moves = 100;

/// Without the fields that are undefined.
function given<T extends object>(fields: { [name in keyof T]: T[name] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function question_of(fields: Fields): Question {
  const attachments = list(fields['attachments']).map((one) => ({ name: text(one['name']), text: text(one['text']) }));
  return { id: text(fields['id']) || new_id(), role: 'user', text: text(fields['text']), attachments };
}

function answer_of(fields: Fields): Answer {
  const states = ['done', 'stopped', 'cut', 'failed'] as const;
  return given<Answer>({
    id: text(fields['id']) || new_id(),
    role: 'assistant',
    text: text(fields['text']),
    thinking: text(fields['thinking']),
    state: states.find((one) => one === fields['state']) ?? 'done',
    moved: list(fields['moved']).slice(0, most_moves).map((one) => ({
      at: number(one['at']) ?? 0,
      node_id: text(one['node_id']),
      name: text(one['name']),
      cause: text(one['cause']),
    })),
    error: text(fields['error']) || undefined,
    ended_by_limit: fields['ended_by_limit'] === true || undefined,
    model: text(fields['model']) || undefined,
    node_id: text(fields['node_id']) || undefined,
    node_name: text(fields['node_name']) || undefined,
    tokens: number(fields['tokens']),
    tokens_per_s: number(fields['tokens_per_s']),
    first_ms: number(fields['first_ms']),
  });
}

function settings_of(value: unknown): Settings {
  if (!is_fields(value)) return {};
  return given<Settings>({
    system: text(value['system']) || undefined,
    temperature: number(value['temperature']),
    top_p: number(value['top_p']),
    max_tokens: number(value['max_tokens']),
    seed: number(value['seed']),
  });
}

/// Each id once: by it a message is found again.
function with_own_ids(messages: Message[]): Message[] {
  const seen = new Set<string>();
  return messages.map((message) => {
    const id = seen.has(message.id) ? new_id() : message.id;
    seen.add(id);
    return id === message.id ? message : { ...message, id };
  });
}

function conversation_of(fields: Fields): Conversation | null {
  const messages: Message[] = [];
  if (!Array.isArray(fields['messages'])) return null;
  for (const message of fields['messages']) {
    if (!is_fields(message) || typeof message['text'] !== 'string') return null;
    if (message['role'] === 'user') messages.push(question_of(message));
    else if (message['role'] === 'assistant') messages.push(answer_of(message));
    else return null;
  }
  return {
    id: text(fields['id']) || new_id(),
    title: text(fields['title']).trim().slice(0, longest_title) || title_of(messages[0]?.text ?? ''),
    model: text(fields['model']) || automatic,
    updated: Math.max(0, Math.min(number(fields['updated']) ?? Date.now(), Date.now())), // none is from tomorrow, and first for ever
    messages: with_own_ids(messages),
    settings: settings_of(fields['settings']),
  };
}

/// Throws an Error with one sentence.
export function from_json(content: string): Conversation[] {
  let file: unknown;
  try {
    file = JSON.parse(content);
  } catch {
    throw new Error('This file is not JSON.');
  }
  if (!is_fields(file) || file['format'] !== format || !Array.isArray(file['conversations'])) {
    throw new Error('This file holds no conversations that were exported here.');
  }
  return file['conversations'].map((one, index) => {
    const conversation = is_fields(one) ? conversation_of(one) : null;
    if (!conversation) throw new Error(`Conversation ${index + 1} of this file is not whole; nothing was imported.`);
    return conversation;
  });
}
