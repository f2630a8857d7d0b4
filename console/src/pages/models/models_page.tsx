import { Plus } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { hello, may_change, models } from '../../live/live';
import type { ModelRow } from '../../live/types';
import { Dialog } from '../../ui/dialog';
import { Empty, PageHead } from '../../ui/parts';
import { ReadOnlyLine } from '../../ui/read_only';
import { tell, tell_error } from '../../ui/toast';
import { unload } from './actions';
import { AddModel } from './add_model';
import { ModelItem } from './model_item';
import { grouped } from './model_words';
import './models.css';
import { WhereDialog } from './where_dialog';

function UnloadInUse({ model, onClose }: { model: ModelRow | null; onClose: () => void }) {
  const go_on = async () => {
    onClose();
    if (!model) return;
    try {
      await unload(model.id);
      tell(`${model.id} is being unloaded.`);
    } catch (error) {
      tell_error(error);
    }
  };
  return (
    <Dialog
      open={model !== null}
      title={`Unload ${model?.id ?? ''}?`}
      onClose={onClose}
      actions={
        <>
          <button type="button" class="outline secondary" onClick={onClose}>
            Keep it
          </button>
          <button type="button" class="danger" onClick={() => void go_on()}>
            Unload
          </button>
        </>
      }
    >
      <p>It was used within the last minute. Answers under way are finished first; new requests find it gone from this machine.</p>
    </Dialog>
  );
}

interface GroupProps {
  title: string;
  rows: ModelRow[];
  onWhere: (model: ModelRow) => void;
  onUnloadInUse: (model: ModelRow) => void;
}

function Group({ title, rows, onWhere, onUnloadInUse }: GroupProps) {
  return (
    <section class="model-group" aria-label={title}>
      <h2>
        {title} <span class="muted">{rows.length}</span>
      </h2>
      <ul class="models">
        {rows.map((model) => (
          <ModelItem key={model.id} model={model} onWhere={onWhere} onUnloadInUse={onUnloadInUse} />
        ))}
      </ul>
    </section>
  );
}

export function ModelsPage() {
  const [adding, set_adding] = useState(false);
  const [asked, set_asked] = useState<ModelRow | null>(null);
  const [leaving, set_leaving] = useState<ModelRow | null>(null);
  const { here, elsewhere } = grouped(models.value);
  const on = { onWhere: set_asked, onUnloadInUse: set_leaving };
  return (
    <>
      <PageHead title="Models" lead="What this machine has, and what the other machines of the mesh have for it.">
        <button type="button" class="with-icon" disabled={!may_change.value} onClick={() => set_adding(true)}>
          <Plus size={18} aria-hidden="true" /> Add a model
        </button>
      </PageHead>
      <ReadOnlyLine />
      {!hello.value && <div class="loading" aria-busy="true" />}
      {hello.value && here.length === 0 && (
        <Empty title="No model is on this machine">
          <p>Add one from a file here or from the hub. What other machines serve can be used without that.</p>
        </Empty>
      )}
      {here.length > 0 && <Group title="On this machine" rows={here} {...on} />}
      {elsewhere.length > 0 && <Group title="In the mesh" rows={elsewhere} {...on} />}
      <AddModel open={adding} onClose={() => set_adding(false)} />
      <WhereDialog model={asked} onClose={() => set_asked(null)} />
      <UnloadInUse model={leaving} onClose={() => set_leaving(null)} />
    </>
  );
}
