// A few actions behind three dots. It closes when one is chosen, on Escape, and when the focus leaves it.
import { Ellipsis } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';

export function Menu({ label, children }: { label: string; children: ComponentChildren }) {
  const box = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (box.current) box.current.open = false;
  };
  const close_and_return = () => {
    // First of all: a dialog that is opened from here gives the focus back to it.
    box.current?.querySelector('summary')?.focus();
    close();
  };
  return (
    <details
      ref={box}
      class="menu"
      onFocusOut={(event) => {
        if (!box.current?.contains(event.relatedTarget as Node | null)) close();
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !box.current?.open) return;
        event.stopPropagation();
        close_and_return();
      }}
    >
      <summary aria-label={label} title={label}>
        <Ellipsis size={20} aria-hidden="true" />
      </summary>
      <div class="menu-items" onClickCapture={close_and_return}>
        {children}
      </div>
    </details>
  );
}
