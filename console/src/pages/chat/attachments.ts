// Text files that go with a question. What is refused is told in one sentence.
import type { Attachment } from './types';

export const max_file_bytes = 256 * 1024;
export const max_all_bytes = 1024 * 1024;

export interface Taken {
  attachments: Attachment[];
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
  const attachments = [...before];
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
    const text = text_of(new Uint8Array(await file.arrayBuffer()));
    if (text === null) {
      refused.push(`${name} is not a text file.`);
      continue;
    }
    all += file.size;
    attachments.push({ name, text });
  }
  return { attachments, refused };
}
