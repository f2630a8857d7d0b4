import { HardDriveDownload, Map as Where, PowerOff } from 'lucide-preact';
import { may_change } from '../../live/live';
import type { ModelRow } from '../../live/types';
import { use_action } from '../../ui/action';
import { Badge } from '../../ui/parts';
import { Sentence } from '../../ui/sentence';
import { tell } from '../../ui/toast';
import { load, unload } from './actions';
import { facts, in_use, percent, reference_of, state_hint, state_words, use_words } from './model_words';

interface Props {
  model: ModelRow;
  onWhere: (model: ModelRow) => void;
  onUnloadInUse: (model: ModelRow) => void;
}

export function ModelItem({ model, onWhere, onUnloadInUse }: Props) {
  const { busy, act } = use_action();
  const ask = (what: () => Promise<unknown>, done: string) =>
    act(async () => {
      await what();
      tell(done);
    });
  const away = model.here === 'ready' ? { verb: 'Unload', said: 'is being unloaded' } : { verb: 'Give up', said: 'is no longer being loaded' };
  const state = state_words(model);
  const hint = state_hint(model);
  const known = [...facts(model), ...use_words(model)];
  return (
    <li class="model" data-here={model.here}>
      <div class="model-name">
        <strong>{model.id}</strong>
        <Badge tone={state.tone}>{state.text}</Badge>
      </div>
      <p class="model-facts">
        {known.map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
      </p>
      {model.here === 'loading' && <progress value={percent(model.progress)} max={100} aria-label={`${model.id} loads`} />}
      {hint && (
        <p class={model.here === 'failed' ? 'model-hint wrong' : 'model-hint'}>
          <Sentence text={hint} />
        </p>
      )}
      <div class="model-actions">
        <button type="button" class="plain small with-icon" onClick={() => onWhere(model)}>
          <Where size={16} aria-hidden="true" /> Where would it go?
          <span class="sr-only"> {model.id}</span>
        </button>
        {model.can_load && (
          <button
            type="button"
            class="outline small with-icon"
            disabled={busy || !may_change.value}
            onClick={() => void ask(() => load(reference_of(model)), `${model.id} is being loaded.`)}
          >
            <HardDriveDownload size={16} aria-hidden="true" /> {model.here === 'failed' ? 'Try again' : 'Load'}
            <span class="sr-only"> {model.id}</span>
          </button>
        )}
        {model.can_unload && (
          <button
            type="button"
            class="outline secondary small with-icon"
            disabled={busy || !may_change.value}
            onClick={() => (in_use(model) ? onUnloadInUse(model) : void ask(() => unload(model.id), `${model.id} ${away.said}.`))}
          >
            <PowerOff size={16} aria-hidden="true" /> {away.verb}
            <span class="sr-only"> {model.id}</span>
          </button>
        )}
      </div>
    </li>
  );
}
