// Light, dark, or as the system has it. public/theme.js sets it before the first paint.
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const slot = 'starling.theme';

function stored(): Theme {
  try {
    const value = localStorage.getItem(slot);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

export const theme = signal<Theme>(stored());

effect(() => {
  const root = document.documentElement;
  if (theme.value === 'system') delete root.dataset['theme'];
  else root.dataset['theme'] = theme.value;
  try {
    if (theme.value === 'system') localStorage.removeItem(slot);
    else localStorage.setItem(slot, theme.value);
  } catch {
    // It lasts until the page is closed.
  }
});
