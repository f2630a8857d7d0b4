import { describe, expect, it } from 'vitest';
import type { LogLine } from '../src/live/types';
import { example } from '../src/pages/health/about_cards';
import { as_text, filtered } from '../src/pages/health/log_lines';

const line = (seq: number, level: LogLine['level'], message: string): LogLine => ({ seq, time: '2026-01-02T03:04:05.678Z', level, message });
const lines = [line(0, 'debug', 'looks'), line(1, 'info', 'Starter is ready'), line(2, 'warning', 'slow'), line(3, 'error', 'starter failed')];

describe('the log', () => {
  it('is filtered by level and text', () => {
    expect(filtered(lines, 'trace', ' ')).toBe(lines);
    expect(filtered(lines, 'warning', '').map((one) => one.seq)).toEqual([2, 3]);
    expect(filtered(lines, 'info', 'STARTER').map((one) => one.seq)).toEqual([1, 3]);
  });

  it('is copied with times and levels', () => {
    expect(as_text(lines.slice(2, 3))).toBe('2026-01-02T03:04:05.678Z warning: slow\n');
  });
});

describe('the example for other programs', () => {
  it('names a key only where one is wanted, and never the key itself', () => {
    expect(example('http://localhost:9337/v1', 'starter', false)).not.toContain('authorization');
    expect(example('http://localhost:9337/v1', 'starter', true)).toContain('Bearer YOUR_KEY');
  });
});
