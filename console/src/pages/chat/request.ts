// What is sent to /v1/chat/completions for a conversation. Pure.
import type { Attachment, Conversation, Message } from './types';

export interface SentMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

const go_on = 'Your answer was cut off. Continue it exactly where it ended, without repeating anything and without a remark.';

/// A file as a fenced block: the fence is longer than any in the file.
export function fenced({ name, text }: Attachment): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([fence]) => fence.length));
  const fence = '`'.repeat(longest + 1);
  const label = name.replace(/[`\n\r]/g, '').trim() || 'file';
  return `${fence}${/\.(\w{1,12})$/.exec(label)?.[1] ?? ''} ${label}\n${text}${text.endsWith('\n') ? '' : '\n'}${fence}`;
}

export function content_of(message: Message): string {
  if (message.role === 'assistant' || message.attachments.length === 0) return message.text;
  return [...message.attachments.map(fenced), message.text].filter((part) => part !== '').join('\n\n');
}

/// `messages`: up to the question; with `continuing`, the answer that was cut is the last of them.
export function request_of(conversation: Conversation, messages: readonly Message[], continuing: boolean): Record<string, unknown> {
  const { system, ...sampling } = conversation.settings;
  const sent: SentMessage[] = [];
  const add = (role: SentMessage['role'], content: string) => {
    const last = sent.at(-1);
    // Many templates know questions and answers only in turn: a question that got no answer joins the next.
    if (last?.role === role) last.content += `\n\n${content}`;
    else if (content !== '') sent.push({ role, content });
  };
  if (system?.trim()) add('system', system);
  for (const message of messages) add(message.role, content_of(message));
  if (continuing) add('user', go_on);
  const given = Object.entries(sampling).filter(([, value]) => value !== undefined && value !== null);
  return { model: conversation.model, messages: sent, stream: true, stream_options: { include_usage: true }, ...Object.fromEntries(given) };
}
