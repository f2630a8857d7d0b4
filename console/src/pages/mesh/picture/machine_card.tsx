// What there is to know at a glance of the machine under the pointer, or with the focus.
import { ms } from '../../../format';
import { peers } from '../../../live/live';
import { Badge } from '../../../ui/parts';
import { condition_of, is_gone, path_word, shown_name, tone_of } from '../words';
import type { Marked } from './picture';

const card_px = { width: 224, height: 116 };

export function MachineCard({ marked, width, height }: { marked: Marked; width: number; height: number }) {
  const peer = peers.value.get(marked.id);
  if (!peer) return null;
  const condition = condition_of(peer);
  const right = marked.x + marked.r + 12;
  const left = right + card_px.width <= width ? right : Math.max(4, marked.x - marked.r - 12 - card_px.width);
  const top = Math.max(4, Math.min(height - card_px.height - 4, marked.y - 30));
  return (
    <div class="machine-card" aria-hidden="true" style={{ left: `${left}px`, top: `${top}px` }}>
      <p class="machine-card-head">
        <strong>{shown_name(peer)}</strong>
        <Badge tone={tone_of(condition)}>{condition}</Badge>
      </p>
      <p>
        {peer.role}
        {peer.path === 'local' ? ', this machine' : is_gone(peer) ? '' : `, ${ms(peer.rtt_ms)} ${path_word(peer.path)}`}
      </p>
      {peer.health && <p>Health {Math.round(peer.health.score)} of 100</p>}
      <p class="muted">{peer.models.length > 0 ? peer.models.slice(0, 3).join(', ') : 'serves nothing'}</p>
    </div>
  );
}
