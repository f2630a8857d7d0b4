// A modal dialog: the browser's own, which keeps the focus inside and closes on Escape.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';

interface Props {
  open: boolean;
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  actions?: ComponentChildren; // buttons, in the foot
}

export function Dialog({ open, title, onClose, children, actions }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const title_id = useId();
  useLayoutEffect(() => {
    if (!open) return undefined;
    const opener = document.activeElement;
    box.current?.showModal();
    // The browser gives the focus back where it closes a dialog itself, but not where one is taken out of the page; and
    // before it is out of the page, nothing else can have the focus.
    return () =>
      queueMicrotask(() => {
        const lost = document.activeElement === document.body || document.activeElement === null;
        if (lost && opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
      });
  }, [open]);
  if (!open) return null;
  return (
    <dialog
      ref={box}
      aria-labelledby={title_id}
      onCancel={(event) => {
        // Escape. Closed by whoever has opened it and not by the browser, which tells of it only later: by then the dialog may
        // be wanted again. A file field within tells of its own cancelling too.
        if (event.target !== box.current) return;
        event.preventDefault();
        onClose();
      }}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === box.current) onClose(); // beside the box
      }}
    >
      <article>
        <header>
          <button type="button" class="plain close" aria-label="Close" onClick={onClose}>
            ×
          </button>
          <h2 id={title_id}>{title}</h2>
        </header>
        {children}
        {actions && <footer>{actions}</footer>}
      </article>
    </dialog>
  );
}
