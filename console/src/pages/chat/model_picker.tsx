// Which model is asked. While the live list is empty, the list of /v1/models has to do.
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api/client';
import { deployments, models } from '../../live/live';
import { running } from './ask';
import { choose_model } from './chats';
import { type ModelChoice, choices } from './model_choice';
import { type Conversation, automatic } from './types';

const patience_ms = 1_500; // for the live list

function useFallback(wanted: boolean): ModelChoice[] {
  const [found, set_found] = useState<ModelChoice[]>([]);
  useEffect(() => {
    if (!wanted) return;
    const timer = setTimeout(() => {
      get<{ data?: { id: string }[] }>('/v1/models').then(
        (list) => set_found((list.data ?? []).filter(({ id }) => id !== automatic).map(({ id }) => ({ id, where: '' }))),
        () => undefined, // the frame says that the node does not answer
      );
    }, patience_ms);
    return () => clearTimeout(timer);
  }, [wanted]);
  return found;
}

export function ModelPicker({ conversation }: { conversation: Conversation }) {
  const { id, model } = conversation;
  const live = choices(models.value, deployments.value);
  const fallback = useFallback(models.value.length === 0);
  const offered = models.value.length > 0 ? live : fallback;
  const is_gone = model !== automatic && !offered.some((one) => one.id === model);
  return (
    <select
      class="model-picker"
      aria-label="Model"
      value={model}
      disabled={running.value.has(id)}
      onChange={(event) => choose_model(id, event.currentTarget.value)}
    >
      <option value={automatic}>Automatic</option>
      {is_gone && <option value={model}>{model} · not here now</option>}
      {offered.map((one) => (
        <option key={one.id} value={one.id}>
          {one.where ? `${one.id} · ${one.where}` : one.id}
        </option>
      ))}
    </select>
  );
}
