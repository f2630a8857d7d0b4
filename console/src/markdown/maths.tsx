// Maths as MathML. What draws it is fetched when the first formula appears; until then, and where the TeX is wrong, its
// source is shown.
import type { ComponentChild } from 'preact';
import { useEffect, useState } from 'preact/hooks';

type Draw = (tex: string, display: boolean) => ComponentChild | null;

let loaded: Draw | undefined;
let loading: Promise<Draw> | undefined;

async function load(): Promise<Draw> {
  loading ??= import('./maths_tree').then((part) => (loaded = part.draw_maths));
  return loading.catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
}

export function Maths({ tex, display }: { tex: string; display: boolean }) {
  const [draw, set_draw] = useState<Draw | undefined>(() => loaded);
  useEffect(() => {
    if (!draw) load().then((one) => set_draw(() => one), () => undefined);
  }, [draw]);
  const formula = draw?.(tex, display);
  const source = <code class="tex">{tex}</code>;
  return display ? (
    <div class="maths" tabIndex={0} role="group" aria-label="Formula">
      {formula ?? source}
    </div>
  ) : (
    <span class="maths">{formula ?? source}</span>
  );
}
