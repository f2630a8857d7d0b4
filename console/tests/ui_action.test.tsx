import { render } from 'preact';
import { act as drawn } from 'preact/test-utils';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { use_action } from '../src/ui/action';
import { Toasts } from '../src/ui/toast';

let box: HTMLElement;
let asked: { done: () => void; fail: (error: Error) => void }[];

function Button({ on_failure }: { on_failure?: (error: unknown) => void }) {
  const { busy, act } = use_action(on_failure);
  const ask = () => new Promise<void>((done, fail) => asked.push({ done, fail }));
  return (
    <>
      <button aria-busy={busy} onClick={() => void act(ask)} />
      <Toasts />
    </>
  );
}

const button = () => box.querySelector('button') as HTMLButtonElement;
const is_busy = () => button().getAttribute('aria-busy');

beforeEach(() => {
  asked = [];
  box = document.createElement('div');
});
afterEach(() => render(null, box));

it('is busy until it has ended, and is not begun twice', async () => {
  await drawn(() => render(<Button />, box));
  await drawn(() => {
    button().click();
    button().click(); // before anything is drawn
  });
  expect(asked).toHaveLength(1);
  expect(is_busy()).toBe('true');
  await drawn(async () => asked[0]?.done());
  expect(is_busy()).toBe('false');
  await drawn(() => button().click());
  expect(asked).toHaveLength(2);
});

it('tells a failure, at the edge of the page or where it is wished, and can be tried again', async () => {
  await drawn(() => render(<Button />, box));
  await drawn(() => button().click());
  await drawn(async () => asked[0]?.fail(new Error('No place.')));
  expect(box.querySelector('.toast')?.textContent).toContain('No place.');
  expect(is_busy()).toBe('false');
  await drawn(() => button().click());
  await drawn(async () => asked[1]?.fail(new Error('No place.')));
  expect(box.querySelectorAll('.toast')).toHaveLength(1); // the same stands there once

  const told: unknown[] = [];
  await drawn(() => render(<Button on_failure={(error) => told.push(error)} />, box));
  await drawn(() => button().click());
  await drawn(async () => asked[2]?.fail(new Error('Not here.')));
  expect(told).toEqual([new Error('Not here.')]);
  expect(box.querySelectorAll('.toast')).toHaveLength(1);
});
