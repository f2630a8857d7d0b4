import { Card } from '../../ui/parts';
import { type Theme, theme } from '../../ui/theme';

const choices: { value: Theme; label: string }[] = [
  { value: 'system', label: 'As the system has it' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

export function ThemeCard() {
  return (
    <Card title="Looks">
      <fieldset class="themes">
        <legend class="sr-only">Looks of this console, in this browser</legend>
        {choices.map(({ value, label }) => (
          <label key={value}>
            <input type="radio" name="theme" checked={theme.value === value} onChange={() => (theme.value = value)} />
            {label}
          </label>
        ))}
      </fieldset>
    </Card>
  );
}
