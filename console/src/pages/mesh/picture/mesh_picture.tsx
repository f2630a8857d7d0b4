// The picture of the mesh, with what belongs around it: buttons, a legend, a card for the machine under the pointer, and a
// list of links for those who do not see it or use no pointer.
import { effect } from '@preact/signals';
import { Maximize, Minus, Plus } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import { deployments, hello, link, peers } from '../../../live/live';
import { looks } from '../../../ui/theme';
import { colours } from '../colours';
import { Legend } from './legend';
import { MachineCard } from './machine_card';
import { MachineList } from './machine_list';
import { type Marked, Picture } from './picture';
import { follow_pointer } from './pointer';

const zoom_step = 1.4;

function usePicture(open: (node_id: string) => void, on_mark: (marked: Marked | null) => void) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [picture, set_picture] = useState<Picture | null>(null);
  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    const made = new Picture(element);
    made.on_mark = on_mark;
    const size = new ResizeObserver(() => made.resize(element.clientWidth, element.clientHeight, Math.min(2, devicePixelRatio || 1)));
    const sight = new IntersectionObserver((entries) => made.set_in_sight(entries.at(-1)?.isIntersecting ?? true));
    const ends = [
      effect(() => made.show(peers.value, hello.value?.node_id ?? '', deployments.value, colours.value)),
      effect(() => {
        void looks.value;
        made.retheme();
      }),
      follow_pointer(element, made, open),
      () => size.disconnect(),
      () => sight.disconnect(),
      () => made.stop(),
    ];
    size.observe(element);
    sight.observe(element);
    set_picture(made);
    return () => {
      for (const end of ends) end();
    };
  }, []);
  return { canvas, picture };
}

export function MeshPicture({ use_table }: { use_table: () => void }) {
  const [, navigate] = useLocation();
  const [marked, set_marked] = useState<Marked | null>(null);
  const mark = (next: Marked | null) =>
    set_marked((now) => (now?.id === next?.id && now?.x === next?.x && now?.y === next?.y ? now : next));
  const { canvas, picture } = usePicture((id) => navigate(`/mesh/${id}`), mark);
  const alone = peers.value.size === 1;
  return (
    <section class="mesh-picture" aria-label="Picture of the mesh" data-link={link.value}>
      <div class="mesh-canvas">
        <canvas ref={canvas} aria-hidden="true" />
        <div class="mesh-zoom" role="group" aria-label="Size of the picture">
          <button type="button" class="plain" aria-label="Larger" onClick={() => picture?.zoom(zoom_step)}>
            <Plus size={18} aria-hidden="true" />
          </button>
          <button type="button" class="plain" aria-label="Smaller" onClick={() => picture?.zoom(1 / zoom_step)}>
            <Minus size={18} aria-hidden="true" />
          </button>
          <button type="button" class="plain" aria-label="Show all" onClick={() => picture?.fit()}>
            <Maximize size={18} aria-hidden="true" />
          </button>
        </div>
        {marked && <MachineCard marked={marked} width={canvas.current?.clientWidth ?? 0} height={canvas.current?.clientHeight ?? 0} />}
        {alone && link.value === 'live' && (
          <p class="mesh-alone">
            This machine is alone. <Link href="/share">Invite another</Link>
          </p>
        )}
      </div>
      <Legend />
      <MachineList on_focus={(id) => picture?.focus(id)} use_table={use_table} />
    </section>
  );
}
