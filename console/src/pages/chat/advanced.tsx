// What the model is told beforehand, and how it chooses its words. Empty fields are not sent.
import { SlidersHorizontal } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { Dialog } from '../../ui/dialog';
import { change_settings } from './chats';
import type { Conversation, Settings } from './types';

interface Field {
  name: 'temperature' | 'top_p' | 'max_tokens' | 'seed';
  label: string;
  hint: string;
  min: number;
  max: number;
  step: number;
}

const fields: Field[] = [
  { name: 'temperature', label: 'Temperature', hint: '0 is the same each time, 1 is lively', min: 0, max: 2, step: 0.05 },
  { name: 'top_p', label: 'Top-p', hint: 'only the likeliest words, up to this share', min: 0, max: 1, step: 0.01 },
  { name: 'max_tokens', label: 'Longest answer', hint: 'in tokens, about four characters each', min: 1, max: 1_000_000, step: 1 },
  { name: 'seed', label: 'Seed', hint: 'the same number draws the same answer', min: 0, max: 4_294_967_295, step: 1 },
];

function with_number(settings: Settings, name: Field['name'], written: string): Settings {
  const { [name]: _before, ...others } = settings;
  const value = Number(written);
  return written.trim() === '' || !Number.isFinite(value) ? others : { ...others, [name]: value };
}

function with_system(settings: Settings, written: string): Settings {
  const { system: _before, ...others } = settings;
  return written.trim() === '' ? others : { ...others, system: written };
}

export function Advanced({ conversation }: { conversation: Conversation }) {
  const { id, settings } = conversation;
  const [shown, set_shown] = useState(false);
  const is_changed = Object.keys(settings).length > 0;
  const close = () => set_shown(false);
  return (
    <>
      <button
        type="button"
        class={is_changed ? 'plain advanced-button changed' : 'plain advanced-button'}
        aria-label={is_changed ? 'Advanced, changed' : 'Advanced'}
        onClick={() => set_shown(true)}
      >
        <SlidersHorizontal size={17} aria-hidden="true" />
        <span>Advanced</span>
      </button>
      <Dialog
        open={shown}
        title="Advanced"
        onClose={close}
        actions={
          <>
            <button type="button" class="secondary" disabled={!is_changed} onClick={() => change_settings(id, {})}>
              Use the defaults
            </button>
            <button type="button" onClick={close}>
              Done
            </button>
          </>
        }
      >
        <p class="muted">For this conversation. What is empty is left to the node.</p>
        <label>
          System prompt
          <textarea
            rows={4}
            value={settings.system ?? ''}
            placeholder="How the model should answer"
            onInput={(event) => change_settings(id, with_system(settings, event.currentTarget.value))}
          />
        </label>
        <div class="settings">
          {fields.map(({ name, label, hint, min, max, step }) => (
            <label key={name}>
              {label}
              <input
                type="number"
                inputmode="decimal"
                min={min}
                max={max}
                step={step}
                placeholder="default"
                value={settings[name] ?? ''}
                onChange={(event) => change_settings(id, with_number(settings, name, event.currentTarget.value))}
              />
              <small>{hint}</small>
            </label>
          ))}
        </div>
      </Dialog>
    </>
  );
}
