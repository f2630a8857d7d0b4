import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { take } from '../src/live/live';
import type { Sharing } from '../src/live/types';
import { MemoryCard } from '../src/pages/share/memory_card';

const sharing = (memory_bytes: number): Sharing => ({
  in_mesh: true, sharing: true, reachable: true, listens: '', who: 'invite', may_invite: true, memory_bytes, memory_total_bytes: 4e9, fixed: [],
});

let box: HTMLElement;
let asked: { bytes: number; answer: () => void }[];

beforeEach(() => {
  asked = [];
  box = document.createElement('div');
  document.body.append(box);
  take({ event: 'hello', data: { version: '1', node_id: 'aa', name: 'desk', may_change: true } });
  vi.stubGlobal('fetch', (_path: string, request: { body: string }) => {
    const { memory_bytes: bytes } = JSON.parse(request.body) as Sharing;
    return new Promise((answer) => asked.push({ bytes, answer: () => answer(new Response(JSON.stringify(sharing(bytes)))) }));
  });
});
afterEach(() => {
  render(null, box);
  box.remove();
  vi.unstubAllGlobals();
});

const slider = () => box.querySelector('input') as HTMLInputElement;

async function press(bytes: number) {
  await act(async () => {
    slider().value = String(bytes);
    slider().dispatchEvent(new Event('input', { bubbles: true }));
    slider().dispatchEvent(new Event('change', { bubbles: true }));
  });
}

it('a key that is held down: the slider stays where the hand is, and the node is told the last wish last', async () => {
  await act(() => render(<MemoryCard sharing={sharing(1e9)} />, box));
  for (const bytes of [1.1e9, 1.2e9, 1.3e9]) await press(bytes);
  expect(asked.map((one) => one.bytes)).toEqual([1.1e9]);
  await act(async () => asked[0]?.answer());
  await vi.waitFor(() => expect(asked.map((one) => one.bytes)).toEqual([1.1e9, 1.3e9]));
  expect(slider().value).toBe(String(1.3e9));
  await act(async () => asked[1]?.answer());
  expect(asked).toHaveLength(2);
});
