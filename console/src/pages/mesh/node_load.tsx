// The load over time: what the node has kept is asked for once; from then on each change of the machine's row adds to it.
import { Suspense, lazy } from 'preact/compat';
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api/client';
import { ms } from '../../format';
import { hello, peers } from '../../live/live';
import type { History, Peer } from '../../live/types';
import { Card } from '../../ui/parts';
import { page_file } from '../../ui/page_file';
import { sentence_of } from '../../ui/toast';
import { type Range, type Sample, type Series, columns_of, merge_samples, range_of, sample_of } from './samples';

const Chart = lazy(() => page_file(() => import('./load_chart').then((file) => file.LoadChart)));

const now_s = () => Math.floor(Date.now() / 1000);
const percent = (value: number | null) => (value == null ? '–' : `${Math.round(value)} %`);

const rows: readonly { series: Series; label: string; colour: number; text: (value: number | null) => string }[] = [
  { series: 'cpu', label: 'Processor in use', colour: 1, text: percent },
  { series: 'memory', label: 'Memory in use', colour: 2, text: percent },
  { series: 'queue', label: 'Queue in use', colour: 3, text: percent },
  { series: 'rtt', label: 'Round trip', colour: 4, text: ms },
];

function useSamples(node_id: string) {
  const [samples, set_samples] = useState<Sample[]>([]);
  const [failure, set_failure] = useState('');
  const greeting = hello.value; // a new one: the page has not listened for a while
  useEffect(() => {
    const ending = new AbortController();
    get<History>(`/api/history?node_id=${encodeURIComponent(node_id)}`, ending.signal).then(
      (history) => set_samples((live) => merge_samples(history.samples, live, now_s())),
      (error: unknown) => {
        if (!ending.signal.aborted) set_failure(sentence_of(error));
      },
    );
    let last: Peer | undefined;
    const follow = peers.subscribe((rows_now) => {
      const peer = rows_now.get(node_id);
      if (!peer || peer === last) return;
      last = peer;
      const sample = sample_of(peer, now_s());
      if (sample) set_samples((before) => merge_samples(before, [sample], now_s()));
    });
    return () => {
      ending.abort();
      follow();
    };
  }, [node_id, greeting]);
  return { samples, failure };
}

function Ranges({ ranges }: { ranges: ReadonlyMap<Series, Range> }) {
  return (
    <table class="load-ranges">
      <thead>
        <tr>
          <th scope="col">In the last half hour</th>
          <th scope="col" class="number">Latest</th>
          <th scope="col" class="number">Lowest</th>
          <th scope="col" class="number">Highest</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ series, label, colour, text }) => {
          const range = ranges.get(series);
          if (!range || range.highest == null) return null;
          return (
            <tr key={series}>
              <th scope="row">
                <span class={`load-key load-key-${colour}`} aria-hidden="true" /> {label}
              </th>
              <td class="number">{text(range.latest)}</td>
              <td class="number">{text(range.lowest)}</td>
              <td class="number">{text(range.highest)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

export function NodeLoad({ peer }: { peer: Peer }) {
  const { samples, failure } = useSamples(peer.node_id);
  const columns = columns_of(samples);
  const ranges = new Map(rows.map(({ series }) => [series, range_of(columns[series])]));
  const has_rtt = peer.path !== 'local' && ranges.get('rtt')?.highest != null;
  if (!has_rtt) ranges.delete('rtt');
  return (
    <Card title="Load over time">
      {failure && <p class="load-failure">{failure} The lines begin now.</p>}
      {samples.length < 2 ? (
        <p class="muted">The first lines come in a few seconds.</p>
      ) : (
        <>
          <div class="load-charts" aria-hidden="true">
            <Suspense fallback={<div class="load-waits" />}>
              <Chart
                title="In use, percent"
                times={columns.times}
                series={[
                  { values: columns.cpu, colour: 1 },
                  { values: columns.memory, colour: 2, dash: [7, 3] },
                  { values: columns.queue, colour: 3, dash: [2, 3] },
                ]}
                highest={100}
              />
              {has_rtt && <Chart title="Round trip, ms" times={columns.times} series={[{ values: columns.rtt, colour: 4 }]} />}
            </Suspense>
          </div>
          <Ranges ranges={ranges} />
        </>
      )}
    </Card>
  );
}
