// The mesh as it is: a picture or a table of the machines, and how models are spread over them.
import { useSignal } from '@preact/signals';
import { hello, deployments, peers } from '../../live/live';
import { PageHead } from '../../ui/parts';
import { RemovedLine } from '../../ui/removed_line';
import { Deployments } from './deployments';
import { MeshTable } from './mesh_table';
import { MeshPicture } from './picture/mesh_picture';
import { mesh_summary } from './words';
import './mesh.css';

type Way = 'picture' | 'table';

const slot = 'starling.mesh_view';

function stored_way(): Way {
  try {
    return localStorage.getItem(slot) === 'table' ? 'table' : 'picture';
  } catch {
    return 'picture';
  }
}

export function MeshPage() {
  const way = useSignal<Way>(stored_way());
  const choose = (wanted: Way) => {
    way.value = wanted;
    try {
      localStorage.setItem(slot, wanted);
    } catch {
      // It lasts until the page is left.
    }
  };
  return (
    <>
      <PageHead title="Mesh" lead={hello.value ? mesh_summary(peers.value.values(), deployments.value) : ' '}>
        <div class="choice" role="group" aria-label="Show as">
          {(['picture', 'table'] as const).map((one) => (
            <button key={one} type="button" aria-pressed={way.value === one} onClick={() => choose(one)}>
              {one === 'picture' ? 'Picture' : 'Table'}
            </button>
          ))}
        </div>
      </PageHead>
      <RemovedLine />
      {way.value === 'picture' ? <MeshPicture use_table={() => choose('table')} /> : <MeshTable />}
      <Deployments />
    </>
  );
}
