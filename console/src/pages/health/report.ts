// A text for somebody who helps. Only the fields that are named here get into it, and then what could be a secret is
// taken out of it all. Pure.
import { bytes, duration, short_id } from '../../format';
import type { About, Deployment, LogLine, ModelRow, Peer, Sharing, Status } from '../../live/types';
import { redact } from './redact';

export const report_log_lines = 200;
const most_peers = 100; // more make a report that nobody reads

export interface ReportFrom {
  about: About | null;
  status: Status | null;
  peers: Iterable<Peer>;
  deployments: readonly Deployment[];
  models: readonly ModelRow[];
  sharing: Sharing | null;
  log: readonly LogLine[];
  browser: string;
  known_secrets?: readonly string[];
}

function percent(value: number): string {
  return `${Math.round(value)} %`;
}

function about_lines(about: About): string[] {
  return [
    `Starling ${about.version} on ${about.platform}`,
    `with ${about.versions.map(({ name, version }) => `${name} ${version}`).join(', ')}`,
    `data in ${about.data_dir}`,
    ...about.listens.map(({ what, protocol, address }) => `listens: ${what}, ${protocol} ${address}`),
    `contacts: ${about.contacts.length}`,
  ];
}

function status_lines(status: Status): string[] {
  const { health, engine, routing } = status;
  return [
    `node ${short_id(status.node_id)}, ${status.role}, version ${status.version}, up for ${duration(status.uptime_s)}`,
    `mesh: ${status.mesh_id ? short_id(status.mesh_id) : 'none'}${status.peers ? `, ${status.peers.alive} of ${status.peers.known} there` : ''}`,
    `health: ${Math.round(health.score)} (${health.state}), processor ${percent(health.cpu)}, memory ${percent(health.memory)}, queue ${percent(health.queue)} free`,
    `engine: ${engine.busy} of ${engine.slots} slots, ${engine.queued} waiting, ${engine.tokens_per_s.toFixed(1)} tokens/s`,
    ...(routing
      ? [`requests: ${routing.here} here, ${routing.to_peers} by others, ${routing.moved_on} moved on, ${routing.resumed} resumed, ${routing.lost} lost`]
      : []),
    ...(routing?.recent ?? []).map(
      ({ model, node_id, reason, cause, resumed_at }) =>
        `decision: ${model} to ${short_id(node_id)}: ${reason}${cause ? `; ${cause}` : ''}${resumed_at === undefined ? '' : `; went on after ${resumed_at} tokens`}`,
    ),
  ];
}

function sharing_line(sharing: Sharing): string {
  const { in_mesh, reachable, who, memory_bytes, memory_total_bytes, fixed } = sharing;
  const lent = `${bytes(memory_bytes)} of ${bytes(memory_total_bytes)}`;
  return `in a mesh: ${in_mesh}, shares: ${sharing.sharing}, reachable: ${reachable}, who: ${who}, memory: ${lent}, fixed: ${fixed.join(' ') || 'nothing'}`;
}

function model_line(model: ModelRow): string {
  const here = model.here === 'loading' ? `loading ${percent(model.progress * 100)}` : model.here;
  return `${model.id}: ${here}, ${bytes(model.size_bytes)}, context ${model.context_length ?? '–'}, on ${model.nodes} others${model.failure ? `; ${model.failure}` : ''}`;
}

function peer_line(peer: Peer): string {
  const rtt = peer.rtt_ms == null ? '–' : `${peer.rtt_ms.toFixed(1)} ms`;
  return `${short_id(peer.node_id)}: ${peer.role}, ${peer.state}, ${peer.path}, ${rtt}, health ${peer.health ? Math.round(peer.health.score) : '–'}, version ${peer.version}`;
}

function deployment_line({ model, state, epoch, stages, reason }: Deployment): string {
  const chain = stages.map((one) => `${short_id(one.node_id)} ${one.first_layer ?? '?'}–${one.last_layer ?? '?'} ${one.state}`).join(' → ');
  return `${model}: ${state}, epoch ${epoch}, ${chain || 'no stages'}; ${reason}`;
}

/// Each by itself first: half a key at the end of a line must not take the lines after it along.
function log_line({ time, level, message }: LogLine): string {
  return `${time} ${level}: ${redact(message)}`;
}

function section(title: string, lines: string[]): string {
  return `## ${title}\n${lines.join('\n') || 'nothing'}\n`;
}

export function report(from: ReportFrom): string {
  const peers = [...from.peers];
  const text = [
    section('Program', [...(from.about ? about_lines(from.about) : ['not told']), `browser: ${from.browser}`]),
    section('Node', from.status ? status_lines(from.status) : []),
    section('Sharing', from.sharing ? [sharing_line(from.sharing)] : []),
    section('Models', from.models.map(model_line)),
    section('Deployments', from.deployments.map(deployment_line)),
    section(`Machines (${peers.length})`, peers.slice(0, most_peers).map(peer_line)),
    section('Log', from.log.slice(-report_log_lines).map(log_line)),
  ].join('\n');
  return redact(text, from.known_secrets);
}
