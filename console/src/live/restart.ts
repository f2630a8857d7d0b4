// The node restarts itself for some changes. While it is known that it does, the lost connection is no failure.
import { effect, signal } from '@preact/signals';
import { hello } from './live';

const longest_restart_ms = 30_000; // after that it is one

export const restarting = signal(false);

/// From now until the node greets this page again.
export function expect_restart(): void {
  const before = hello.peek();
  restarting.value = true;
  const over = () => {
    clearTimeout(given_up);
    stop();
    restarting.value = false;
  };
  const given_up = setTimeout(() => over(), longest_restart_ms);
  const stop = effect(() => {
    if (hello.value !== before) queueMicrotask(over);
  });
}
