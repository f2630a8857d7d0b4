import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { take } from '../src/live/live';
import { expect_restart, restarting } from '../src/live/restart';

const greet = () => take({ event: 'hello', data: { version: '1', node_id: 'aa', name: 'desk', may_change: true } });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('a restart is over when the node greets again', async () => {
  greet();
  expect_restart();
  expect(restarting.value).toBe(true);
  greet();
  await Promise.resolve();
  expect(restarting.value).toBe(false);
});

it('a restart that never ends is a failure after a while', async () => {
  greet();
  expect_restart();
  vi.advanceTimersByTime(29_000);
  expect(restarting.value).toBe(true);
  vi.advanceTimersByTime(2_000);
  expect(restarting.value).toBe(false);
});
