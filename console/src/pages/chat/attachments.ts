// Text files that go with a question. What is refused is told in one sentence.
import type { Attachment } from './types';

export const max_file_bytes = 256 * 1024;
export const max_all_bytes = 1024 * 1024;

export interface Taken {
  attachments: Attachment[]; // beside those that were there before
  refused: string[];
}

const size_of = (text: string): number => new TextEncoder().encode(text).length;

/// Null: not text.
export function text_of(content: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}

export async function take_files(files: Iterable<File>, before: readonly Attachment[]): Promise<Taken> {
  const attachments: Attachment[] = [];
  const refused: string[] = [];
  let all = before.reduce((sum, one) => sum + size_of(one.text), 0);
  for (const file of files) {
    const name = file.name || 'pasted.txt';
    if (file.size > max_file_bytes) {
      refused.push(`${name} is larger than 256 KB, which is the most that one file may have.`);
      continue;
    }
    if (all + file.size > max_all_bytes) {
      refused.push(`${name} does not fit: the files of one message may have 1 MB together.`);
      continue;
    }
    // A folder looks like a file until it is read; and a file may be gone by then.
    const content = await file.arrayBuffer().catch(() => null);
    if (!content) {
      refused.push(`${name} can’t be read.`);
      continue;
    }
    const text = text_of(new Uint8Array(content));
    if (text === null) {
      refused.push(`${name} is not a text file.`);
      continue;
    }
    all += file.size;
    attachments.push({ name, text });
  }
  return { attachments, refused };
}
