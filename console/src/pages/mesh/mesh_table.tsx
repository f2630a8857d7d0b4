// The machines as a table. Only the rows in sight are in the document; there may be a thousand.
import { ArrowDown, ArrowUp } from 'lucide-preact';
import { memo } from 'preact/compat';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { ms, plural } from '../../format';
import { peers } from '../../live/live';
import type { Peer } from '../../live/types';
import { Badge } from '../../ui/parts';
import { type Column, type Order, filter_rows, keep_order, sort_rows, window_of } from './rows';
import { condition_of, is_gone, path_word, shown_name, tone_of } from './words';

const row_px = 40; // as in mesh.css

const columns: readonly { column: Column; title: string; number?: boolean }[] = [
  { column: 'name', title: 'Name' },
  { column: 'role', title: 'Role' },
  { column: 'condition', title: 'State' },
  { column: 'score', title: 'Health', number: true },
  { column: 'rtt', title: 'Round trip', number: true },
  { column: 'path', title: 'Path' },
  { column: 'models', title: 'Models' },
  { column: 'version', title: 'Version' },
];

const Row = memo(function Row({ peer, index }: { peer: Peer; index: number }) {
  const condition = condition_of(peer);
  return (
    <tr aria-rowindex={index}>
      <th scope="row">
        <Link href={`/mesh/${peer.node_id}`}>{shown_name(peer)}</Link>
      </th>
      <td>{peer.role}</td>
      <td>
        <Badge tone={tone_of(condition)}>{condition}</Badge>
      </td>
      <td class="number">{peer.health ? Math.round(peer.health.score) : '–'}</td>
      <td class="number">{peer.path === 'local' || is_gone(peer) ? '–' : ms(peer.rtt_ms)}</td>
      <td>{is_gone(peer) ? '–' : path_word(peer.path)}</td>
      <td title={peer.models.join(', ')}>
        {peer.models.join(', ') || '–'}
      </td>
      <td>{peer.version}</td>
    </tr>
  );
});

/// Which part of the table is in sight, of the page that scrolls around it.
function useWindow(count: number) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [seen, set_seen] = useState({ from: 0, to: 40 });
  useEffect(() => {
    const main = document.getElementById('main');
    if (!main) return undefined;
    const look = () => {
      const top = main.getBoundingClientRect().top - (body.current?.getBoundingClientRect().top ?? 0);
      const next = window_of(count, row_px, Math.max(0, top), main.clientHeight);
      set_seen((now) => (now.from === next.from && now.to === next.to ? now : next));
    };
    look();
    main.addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      main.removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, [count]);
  return { body, from: Math.min(seen.from, count), to: Math.min(seen.to, count) };
}

/// Sorted anew as rows change, but not while somebody is at a row: it would move away.
function useRows(filter: string, order: Order) {
  const held = useRef(false);
  const last = useRef<{ key: string; ids: string[] }>({ key: '', ids: [] });
  const key = `${order.column} ${order.descending} ${filter}`;
  const filtered = filter_rows([...peers.value.values()], filter);
  const rows = held.current && last.current.key === key ? keep_order(filtered, last.current.ids) : sort_rows(filtered, order);
  last.current = { key, ids: rows.map((row) => row.node_id) };
  return { rows, hold: () => (held.current = true), let_go: () => (held.current = false) };
}

export function MeshTable() {
  const [filter, set_filter] = useState('');
  const [order, set_order] = useState<Order>({ column: 'name', descending: false });
  const { rows, hold, let_go } = useRows(filter, order);
  const { body, from, to } = useWindow(rows.length);
  const sort_by = (column: Column) =>
    set_order((now) => ({ column, descending: now.column === column ? !now.descending : column === 'score' || column === 'models' }));
  return (
    <section class="card mesh-table">
      <div class="mesh-filter">
        <input type="search" aria-label="Filter the machines" placeholder="Filter by name, state, model…" value={filter} onInput={(event) => set_filter(event.currentTarget.value)} />
        <span class="muted" role="status">
          {filter ? `${rows.length} of ${plural(peers.value.size, 'machine')}` : plural(rows.length, 'machine')}
        </span>
      </div>
      <div class="table-wrap" tabIndex={0} role="region" aria-label="Machines">
        <table aria-rowcount={rows.length + 1}>
          <thead>
            <tr>
              {columns.map(({ column, title, number }) => (
                <th key={column} scope="col" class={number ? 'number' : ''} aria-sort={order.column === column ? (order.descending ? 'descending' : 'ascending') : 'none'}>
                  <button type="button" class="sort" onClick={() => sort_by(column)}>
                    {title}
                    {order.column === column && (order.descending ? <ArrowDown size={14} aria-hidden="true" /> : <ArrowUp size={14} aria-hidden="true" />)}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody ref={body} onPointerEnter={hold} onPointerLeave={let_go} onFocusIn={hold} onFocusOut={let_go}>
            {from > 0 && <tr class="space" aria-hidden="true" style={{ height: `${from * row_px}px` }} />}
            {rows.slice(from, to).map((peer, i) => (
              <Row key={peer.node_id} peer={peer} index={from + i + 2} />
            ))}
            {to < rows.length && <tr class="space" aria-hidden="true" style={{ height: `${(rows.length - to) * row_px}px` }} />}
          </tbody>
        </table>
      </div>
      {rows.length === 0 && <p class="muted">No machine fits the filter.</p>}
    </section>
  );
}
