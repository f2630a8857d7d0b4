// What keeps the page alive where something of it fails.
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { api_key, key_fault, key_wanted } from '../src/api/access';
import { Fault } from '../src/ui/fault';
import { KeyGate } from '../src/ui/key_gate';
import { page_file } from '../src/ui/page_file';

vi.mock('../src/live/live', async (real) => {
  const { signal } = await import('@preact/signals');
  return { ...(await real<typeof import('../src/live/live')>()), link: signal('live'), reconnect: () => undefined };
});

let box: HTMLElement;
beforeEach(() => {
  box = document.createElement('div');
  document.body.append(box);
});
afterEach(() => {
  render(null, box);
  box.remove();
  vi.useRealTimers();
});

it('a page that cannot be drawn says so, and leaves the others alone', () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const Broken = () => {
    throw new Error('no health');
  };
  const draw = (place: string) => act(() => render(<Fault key={place}>{place === '/health' ? <Broken /> : <p>a page</p>}</Fault>, box));
  void draw('/health');
  expect(box.querySelector('[role=alert]')?.textContent).toContain('This page can’t be shown');
  void draw('/');
  expect(box.textContent).toBe('a page');
  expect(told).toHaveBeenCalledTimes(1);
});

describe('a page\'s file', () => {
  it('comes when the node is back', async () => {
    vi.useFakeTimers();
    const { link } = await import('../src/live/live');
    link.value = 'lost';
    const load = vi.fn().mockRejectedValueOnce(new TypeError('away')).mockResolvedValue('page');
    const loaded = page_file<string>(load);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(load).toHaveBeenCalledTimes(1);
    link.value = 'live';
    await expect(loaded).resolves.toBe('page');
  });

  it('that is not there any more is a failure', async () => {
    vi.useFakeTimers();
    const { link } = await import('../src/live/live');
    link.value = 'live';
    const load = vi.fn().mockRejectedValue(new TypeError('404'));
    const loaded = page_file(load).catch((error: Error) => error.message);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([await loaded, load.mock.calls.length]).toEqual(['404', 3]);
  });
});

it('a key that cannot be sent is refused at once, and not used', async () => {
  key_wanted.value = true;
  HTMLDialogElement.prototype.showModal ??= () => undefined;
  await act(() => render(<KeyGate />, box));
  const enter = async (key: string) => {
    const input = box.querySelector('input') as HTMLInputElement;
    await act(async () => {
      input.value = key;
      input.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await act(async () => void box.querySelector('form')?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true })));
  };
  await enter('sk–with-a-long-dash');
  expect([api_key.value, key_wanted.value]).toEqual(['', true]);
  expect(key_fault.value).toContain('This is no API key');
  expect(box.querySelector('[role=alert]')?.textContent).toContain('This is no API key');
  await enter('sk-right');
  expect([api_key.value, key_wanted.value]).toEqual(['sk-right', false]);
});
