// Which lines of the log are shown. Pure.
import type { LogLine } from '../../live/types';

export const levels = ['trace', 'debug', 'info', 'warning', 'error', 'critical'] as const;
export type Level = (typeof levels)[number];

export function filtered(lines: readonly LogLine[], least: Level, text: string): readonly LogLine[] {
  const from = levels.indexOf(least);
  const wanted = text.trim().toLowerCase();
  if (from === 0 && wanted === '') return lines;
  return lines.filter((line) => levels.indexOf(line.level) >= from && (wanted === '' || line.message.toLowerCase().includes(wanted)));
}

/// Of the day it is enough to know it in what is copied.
export function clock(time: string): string {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? time : at.toLocaleTimeString('en-GB');
}

export function as_text(lines: readonly LogLine[]): string {
  return lines.map(({ time, level, message }) => `${time} ${level}: ${message}\n`).join('');
}
