// One machine: how it is, what it serves, and its load over time.
import { ArrowLeft } from 'lucide-preact';
import { Link } from 'wouter-preact';
import { layers_text, cost_text } from '../../chains/chain_text';
import { ms, short_id } from '../../format';
import { deployments, hello, link, peers } from '../../live/live';
import type { Peer } from '../../live/types';
import { Badge, Card, CopyButton, Empty, PageHead } from '../../ui/parts';
import { NodeHealth } from './node_health';
import { NodeLoad } from './node_load';
import { condition_of, is_gone, is_split, path_word, shown_name, tone_of } from './words';
import './node.css';

function Back() {
  return (
    <Link href="/mesh" class="node-back">
      <ArrowLeft size={16} aria-hidden="true" /> All machines
    </Link>
  );
}

function Facts({ peer }: { peer: Peer }) {
  const own = peer.path === 'local';
  return (
    <Card title="About it">
      <dl class="node-facts">
        <dt>Role</dt>
        <dd>{peer.role === 'client' ? 'client: it asks, and does no work for others' : peer.role === 'worker' ? 'worker: it works for the others' : peer.role}</dd>
        <dt>Round trip</dt>
        <dd>{own ? 'none, this is the machine that shows the page' : is_gone(peer) ? 'not connected' : `${ms(peer.rtt_ms)}, ${path_word(peer.path)}`}</dd>
        <dt>Version</dt>
        <dd>{peer.version || 'not known'}</dd>
        <dt>Identity</dt>
        <dd class="node-id">
          <code>{peer.node_id}</code>
          <CopyButton text={peer.node_id} />
        </dd>
      </dl>
      {!own && (
        <p>
          <Link href="/share">Remove from the mesh</Link>
        </p>
      )}
    </Card>
  );
}

function Work({ peer }: { peer: Peer }) {
  const stages = deployments.value.filter(is_split).flatMap(({ model, stages: all }) =>
    all.map((stage, i) => ({ model, stage, nth: i + 1, of: all.length })).filter(({ stage }) => stage.node_id === peer.node_id),
  );
  return (
    <Card title="What it does">
      {peer.models.length === 0 && stages.length === 0 && <p class="muted">It serves no model now.</p>}
      {peer.models.length > 0 && (
        <>
          <h3>Serves</h3>
          <ul class="node-models">
            {peer.models.map((model) => (
              <li key={model}>{model}</li>
            ))}
          </ul>
        </>
      )}
      {stages.length > 0 && (
        <>
          <h3>Computes a part of</h3>
          <ul class="node-stages">
            {stages.map(({ model, stage, nth, of }) => (
              <li key={`${model} ${nth}`}>
                <span>
                  <strong>{model}</strong> <span class="muted">part {nth} of {of}, {layers_text(stage)}</span>
                </span>
                <small class="muted">{cost_text(stage)}</small>
                <Badge tone={stage.state === 'ready' ? 'good' : stage.state === 'loading' ? 'warm' : 'bad'}>{stage.state}</Badge>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}

export function NodePage({ node_id }: { node_id: string }) {
  const peer = peers.value.get(node_id);
  if (!peer) {
    // The rows come right after the greeting.
    if (!hello.value || peers.value.size === 0) return <div class="loading" aria-busy="true" />;
    return (
      <>
        <Back />
        <PageHead title={short_id(node_id)} />
        <Empty title="This machine is not in the mesh">
          <p>
            It may have left, or the address is wrong. <Link href="/mesh">Show all machines</Link>
          </p>
        </Empty>
      </>
    );
  }
  const condition = condition_of(peer);
  return (
    <div class="node-page" data-link={link.value}>
      <Back />
      <header class="page-head">
        <div>
          <h1>
            {shown_name(peer)} <Badge tone={tone_of(condition)}>{condition}</Badge>
          </h1>
          <p class="lead">
            <code>{short_id(node_id)}</code>
            {peer.path === 'local' && ' · this machine'}
          </p>
        </div>
      </header>
      <div class="node-columns">
        <NodeHealth peer={peer} />
        <Work peer={peer} />
        <Facts peer={peer} />
      </div>
      <NodeLoad peer={peer} />
    </div>
  );
}
