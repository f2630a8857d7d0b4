// What a row of the list says, in words. Pure.
import { ago, bytes, plural } from '../../format';
import type { Here, ModelRow } from '../../live/types';
import type { Tone } from '../../ui/parts';

const recently_s = 60;

export interface Groups {
  here: ModelRow[];
  elsewhere: ModelRow[];
}

const by_use: Here[] = ['ready', 'loading', 'waiting', 'failed', 'standby', 'on_disk', 'none'];

/// Those that are at work first, then by name. What is neither here nor anywhere is left out.
export function grouped(models: readonly ModelRow[]): Groups {
  const sorted = [...models].sort((a, b) => by_use.indexOf(a.here) - by_use.indexOf(b.here) || a.id.localeCompare(b.id));
  return {
    here: sorted.filter((one) => one.here !== 'none'),
    elsewhere: sorted.filter((one) => one.here === 'none' && one.nodes > 0),
  };
}

export function percent(progress: number): number {
  return Math.max(0, Math.min(100, Math.floor(progress * 100)));
}

export function state_words(model: ModelRow): { text: string; tone: Tone } {
  switch (model.here) {
    case 'ready':
      return { text: 'Ready', tone: 'good' };
    case 'loading':
      return { text: `Loading ${percent(model.progress)} %`, tone: 'accent' };
    case 'waiting':
      return { text: 'Waiting', tone: 'warm' };
    case 'failed':
      return { text: 'Failed', tone: 'bad' };
    case 'standby':
      return { text: 'In reserve', tone: 'quiet' };
    case 'on_disk':
      return { text: 'On disk', tone: 'quiet' };
    case 'none':
      return { text: 'Ready elsewhere', tone: 'good' };
    default:
      return { text: String(model.here), tone: 'quiet' }; // of a newer node
  }
}

/// What a state means where its name alone does not say it; empty: it does.
export function state_hint(model: ModelRow): string {
  if (model.failure) return model.failure;
  if (model.here === 'waiting') return 'It waits for machines that can hold it, or for another machine to take it up.';
  if (model.here === 'standby') return 'It is loaded when somebody asks for it and no other machine has it.';
  return '';
}

/// Size, context, and on how many machines; what is not known is not said.
export function facts(model: ModelRow): string[] {
  const out: string[] = [];
  if (model.size_bytes != null) out.push(bytes(model.size_bytes));
  if (model.context_length != null) out.push(`context of ${model.context_length.toLocaleString('en')} tokens`);
  if (model.nodes > 0) out.push(`on ${plural(model.nodes, model.here === 'none' ? 'machine' : 'other machine')}`);
  return out;
}

export function use_words(model: ModelRow): string[] {
  if (model.last_active_s == null && model.requests === 0) return ['not used yet'];
  const rate = model.request_rate_per_min;
  const often = rate >= 0.05 ? `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)} requests a minute` : plural(model.requests, 'request');
  return model.last_active_s == null ? [often] : [often, `last used ${ago(model.last_active_s)}`];
}

/// Somebody may be in the middle of a conversation with it.
export function in_use(model: ModelRow): boolean {
  return model.here === 'ready' && model.last_active_s != null && model.last_active_s < recently_s;
}

/// How the node is to be asked about it: what it does not serve, it knows by its file.
export function reference_of(model: ModelRow): string {
  return model.here === 'on_disk' && model.source ? model.source : model.id;
}

/// What follows from the reference that somebody types.
export function reference_words(reference: string): string {
  const text = reference.trim();
  if (text === '') return 'A path on the machine where Starling runs, or a file of the hub.';
  if (text === 'starter') return 'The small model that is part of Starling. Nothing is contacted.';
  if (text.startsWith('hf://')) return 'Downloaded from the hub unless it is here already, then loaded. No other place is contacted.';
  if (/^[a-z]+:\/\//i.test(text)) return 'Starling fetches from the hub only: hf://owner/repo/file.gguf.';
  return 'A file on the machine where Starling runs. Nothing is contacted.';
}
