import { render } from 'preact';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Chain, type ChainStage } from '../src/chains/chain';
import { PlanPicture } from '../src/chains/plan_picture';

let root: HTMLElement;

beforeEach(() => {
  root = document.createElement('div');
  document.body.append(root);
});

afterEach(() => {
  render(null, root);
  root.remove();
});

const stage = (name: string, first_layer: number, last_layer: number) => ({
  node_id: `id-${name}`, name, first_layer, last_layer, memory_bytes: 4_200_000_000, ms_per_token: 18,
});

it('a chain names each machine, links to its page, and says how each stage is', () => {
  const stages: ChainStage[] = [
    { ...stage('attic', 0, 13), state: 'ready' },
    { ...stage('desk', 14, 31), state: 'lost' },
  ];
  render(<Chain stages={stages} color_index={7} />, root);
  expect([...root.querySelectorAll('a')].map((link) => link.getAttribute('href'))).toEqual(['/mesh/id-attic', '/mesh/id-desk']);
  expect(root.textContent).toContain('layers 14–31');
  expect([...root.querySelectorAll('.chain-state')].map((state) => state.textContent)).toEqual(['ready', 'lost']);
  expect(root.querySelector('.chain-2')).not.toBeNull();
});

it('a plan shows what it would give, and why', () => {
  const plan = { model: 'big', tokens_per_s: 9.8, total_tokens_per_s: 123.4, reason: 'It fits nowhere whole.', table: '', stages: [stage('attic', 0, 13), stage('desk', 14, 31)] };
  render(<PlanPicture plan={plan} />, root);
  expect(root.textContent).toContain('9.8 tokens/s');
  expect(root.textContent).toContain('123 tokens/s');
  expect(root.textContent).toContain('cut over 2 machines');
  expect(root.textContent).toContain('It fits nowhere whole.');
  expect(root.querySelector('.chain-state')).toBeNull();
});

it('a whole model of another server has no numbers to show', () => {
  render(<Chain stages={[{ node_id: 'x', name: 'x', first_layer: null, last_layer: null, memory_bytes: null, ms_per_token: null, state: 'ready' }]} />, root);
  expect(root.textContent).toBe('xreadythe whole model');
});
