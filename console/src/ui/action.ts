// What a button does at the node, once at a time: busy while it is under way, and a failure is told.
import { useRef, useState } from 'preact/hooks';
import { tell_error } from './toast';

export interface Action {
  busy: boolean;
  /// Never throws. A second one before the first has ended is not begun: two clicks may come before the page is drawn.
  act: (what: () => Promise<unknown>) => Promise<void>;
}

/// `on_failure`: where it is told, else at the edge of the page.
export function use_action(on_failure: (error: unknown) => void = tell_error): Action {
  const [busy, set_busy] = useState(false);
  const under_way = useRef(false);
  const act = async (what: () => Promise<unknown>) => {
    if (under_way.current) return;
    under_way.current = true;
    set_busy(true);
    try {
      await what();
    } catch (error) {
      on_failure(error);
    } finally {
      under_way.current = false;
      set_busy(false);
    }
  };
  return { busy, act };
}
