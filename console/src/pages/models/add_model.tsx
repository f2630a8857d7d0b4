// Asks for a model by its reference; the node says at once what is wrong with it.
import { useState } from 'preact/hooks';
import { use_action } from '../../ui/action';
import { Dialog } from '../../ui/dialog';
import { Sentence } from '../../ui/sentence';
import { sentence_of, tell } from '../../ui/toast';
import { load } from './actions';
import { reference_words } from './model_words';

export function AddModel({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [reference, set_reference] = useState('');
  const [wrong, set_wrong] = useState('');
  const { busy, act } = use_action((error) => set_wrong(sentence_of(error)));
  const close = () => {
    set_wrong('');
    onClose();
  };
  const add = async (event: Event) => {
    event.preventDefault();
    if (!reference.trim()) return;
    set_wrong('');
    await act(async () => {
      const { id } = await load(reference.trim());
      tell(`${id} is on its way; the list shows how far it is.`);
      set_reference('');
      onClose();
    });
  };
  return (
    <Dialog
      open={open}
      title="Add a model"
      onClose={close}
      actions={
        <>
          <button type="button" class="outline secondary" onClick={close}>
            Cancel
          </button>
          <button type="submit" form="add-model" aria-busy={busy} disabled={busy || !reference.trim()}>
            Load it
          </button>
        </>
      }
    >
      <form id="add-model" class="stack" onSubmit={(event) => void add(event)}>
        <label>
          Which model
          <input
            type="text"
            autofocus
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            placeholder="hf://owner/repo/file.gguf"
            value={reference}
            aria-describedby="add-model-hint"
            {...(wrong ? { 'aria-invalid': true, 'aria-errormessage': 'add-model-wrong' } : {})}
            onInput={(event) => {
              set_reference(event.currentTarget.value);
              set_wrong('');
            }}
          />
        </label>
        <p id="add-model-hint" class="muted">
          {reference_words(reference)}
        </p>
        <p id="add-model-wrong" class="wrong" role="alert">
          <Sentence text={wrong} />
        </p>
        <details>
          <summary>What can be written here</summary>
          <dl class="forms">
            <dt>
              <code>/srv/models/name.gguf</code>
            </dt>
            <dd>A GGUF file on the machine where Starling runs.</dd>
            <dt>
              <code>hf://owner/repo/file.gguf</code>
            </dt>
            <dd>A GGUF file of the hub. It is fetched once, checked and kept.</dd>
            <dt>
              <code>starter</code>
            </dt>
            <dd>The small model that is part of Starling.</dd>
          </dl>
        </details>
      </form>
    </Dialog>
  );
}
