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

/// What is chosen.
export const theme = signal<Theme>(stored());

const system = matchMedia('(prefers-color-scheme: dark)');
const system_is_dark = signal(system.matches);
system.addEventListener('change', ({ matches }) => (system_is_dark.value = matches));

/// What is shown; the colours of the page are that already.
export const looks = signal<'light' | 'dark'>('light');

effect(() => {
  const now = theme.value === 'system' ? (system_is_dark.value ? 'dark' : 'light') : theme.value;
  document.documentElement.dataset['theme'] = now;
  looks.value = now;
});

effect(() => {
  try {
    if (theme.value === 'system') localStorage.removeItem(slot);
    else localStorage.setItem(slot, theme.value);
  } catch {
    // It lasts until the page is closed.
  }
});
