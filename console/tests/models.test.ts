import { describe, expect, it } from 'vitest';
import type { ModelRow } from '../src/live/types';
import { facts, grouped, in_use, reference_of, reference_words, state_hint, state_words, use_words } from '../src/pages/models/model_words';
import { plan_question } from '../src/pages/models/where_dialog';

const row = (fields: Partial<ModelRow>): ModelRow => ({
  id: 'one', here: 'ready', source: 'one', size_bytes: null, context_length: null, progress: 0, requests: 0, request_rate_per_min: 0,
  last_active_s: null, nodes: 0, can_load: false, can_unload: false, ...fields,
});

describe('the list of models', () => {
  it('has what is here apart from what the mesh has, and leaves out what is nowhere', () => {
    const { here, elsewhere } = grouped([
      row({ id: 'z', here: 'on_disk' }), row({ id: 'b' }), row({ id: 'a' }), row({ id: 'far', here: 'none', nodes: 2 }), row({ id: 'gone', here: 'none' }),
    ]);
    expect(here.map((one) => one.id)).toEqual(['a', 'b', 'z']);
    expect(elsewhere.map((one) => one.id)).toEqual(['far']);
  });

  it('says states in plain words', () => {
    expect(state_words(row({ here: 'loading', progress: 0.429 })).text).toBe('Loading 42 %');
    expect(state_words(row({ here: 'on_disk' })).text).toBe('On disk');
    expect(state_hint(row({ here: 'failed', failure: 'It ends too early.' }))).toBe('It ends too early.');
    expect(state_hint(row({}))).toBe('');
  });

  it('says what is known, and only that', () => {
    expect(facts(row({}))).toEqual([]);
    expect(facts(row({ size_bytes: 17_600_000, context_length: 2048, nodes: 1 }))).toEqual(['17.6 MB', 'context of 2,048 tokens', 'on 1 other machine']);
    expect(facts(row({ here: 'none', nodes: 3 }))).toEqual(['on 3 machines']);
  });

  it('says how much it is used', () => {
    expect(use_words(row({}))).toEqual(['not used yet']);
    expect(use_words(row({ requests: 3, request_rate_per_min: 1.24, last_active_s: 130 }))).toEqual(['1.2 requests a minute', 'last used 2 min ago']);
    expect(use_words(row({ requests: 1, last_active_s: 400 }))).toEqual(['1 request', 'last used 7 min ago']);
    expect(in_use(row({ last_active_s: 59 }))).toBe(true);
    expect(in_use(row({ last_active_s: 60 }))).toBe(false);
    expect(in_use(row({}))).toBe(false);
  });

  it('asks for a file by its path, and for what is served by its name', () => {
    expect(reference_of(row({ here: 'on_disk', source: '/srv/one.gguf' }))).toBe('/srv/one.gguf');
    expect(reference_of(row({ here: 'ready', source: '/srv/one.gguf' }))).toBe('one');
  });
});

describe('adding a model', () => {
  it('says what is contacted', () => {
    expect(reference_words('hf://a/b/c.gguf')).toContain('Downloaded from the hub');
    expect(reference_words(' /srv/a.gguf')).toContain('Nothing is contacted');
    expect(reference_words('https://example.org/a.gguf')).toContain('hub only');
  });
});

describe('the question to the planner', () => {
  it('leaves out what was not chosen', () => {
    expect(plan_question('m', { split: '', ctx: '' })).toEqual({ model: 'm' });
    expect(plan_question('m', { split: 'never', ctx: '0' })).toEqual({ model: 'm', split: 'never' });
    expect(plan_question('m', { split: '3', ctx: '4096' })).toEqual({ model: 'm', split: 3, ctx: 4096 });
  });
});
