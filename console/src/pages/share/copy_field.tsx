import { CopyButton } from '../../ui/parts';

/// A text to copy, with what it is for.
export function CopyField({ label, text, hint }: { label: string; text: string; hint?: string }) {
  return (
    <div class="copy-field">
      <span class="copy-label">{label}</span>
      <code tabIndex={0} role="textbox" aria-readonly="true" aria-label={label}>
        {text}
      </code>
      <CopyButton text={text} />
      {hint && <small class="muted">{hint}</small>}
    </div>
  );
}
