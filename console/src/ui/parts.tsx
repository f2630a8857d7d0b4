// Small pieces that several pages use.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { tell_error } from './toast';

/// A page's heading with one line of explanation, and buttons beside it.
export function PageHead({ title, lead, children }: { title: string; lead?: string; children?: ComponentChildren }) {
  return (
    <header class="page-head">
      <div>
        <h1>{title}</h1>
        {lead && <p class="lead">{lead}</p>}
      </div>
      {children && <div class="page-actions">{children}</div>}
    </header>
  );
}

export function Card({ title, children, actions }: { title?: string; children: ComponentChildren; actions?: ComponentChildren }) {
  return (
    <section class="card">
      {(title || actions) && (
        <header>
          {title && <h2>{title}</h2>}
          {actions}
        </header>
      )}
      {children}
    </section>
  );
}

export type Tone = 'good' | 'warm' | 'bad' | 'quiet' | 'accent';

/// A state in a word; its colour is never the only sign of it.
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/// `role="switch"`, with its label and a line of explanation.
export function Switch(props: {
  label: string;
  hint?: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        checked={props.checked}
        disabled={props.disabled ?? false}
        onChange={(event) => {
          const wanted = event.currentTarget.checked;
          event.currentTarget.checked = props.checked; // it shows what is, not what was wished
          props.onChange(wanted);
        }}
      />
      <span>
        <strong>{props.label}</strong>
        {props.hint && <small>{props.hint}</small>}
      </span>
    </label>
  );
}

/// Says for a moment that it has copied.
export function CopyButton({ text, label = 'Copy', copied = 'Copied' }: { text: string | (() => string | Promise<string>); label?: string; copied?: string }) {
  const [done, set_done] = useState(false);
  const copy = async () => {
    try {
      await write_clipboard(typeof text === 'string' ? text : await text());
      set_done(true);
      setTimeout(() => set_done(false), 1_500);
    } catch (error) {
      tell_error(error);
    }
  };
  return (
    <button type="button" class="outline small" onClick={() => void copy()}>
      {done ? copied : label}
    </button>
  );
}

/// A page that came by plain HTTP from another machine has no clipboard interface, and some browsers refuse it; the old
/// command may still work then.
export async function write_clipboard(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    return;
  } catch {
    // As below.
  }
  const before = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'sr-only';
  area.readOnly = true; // no keyboard comes up on a phone
  ([...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body).append(area); // beside a dialog nothing can be selected
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  if (!done) throw new Error('The browser does not let this page copy; select the text and copy it by hand.');
}
