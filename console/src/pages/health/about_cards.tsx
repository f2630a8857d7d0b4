// What the node listens on, whom it contacts, and of what it is made.
import { api_key } from '../../api/access';
import { models } from '../../live/live';
import type { About } from '../../live/types';
import { Badge, Card, CopyButton } from '../../ui/parts';
import { Sentence } from '../../ui/sentence';
import { about_failure } from './about';

/// In place of what the node keeps to those who may change it.
export function RefusedCard() {
  return (
    <Card title="What listens, who is contacted, versions">
      <p class="muted">
        The node does not tell this page: <Sentence text={about_failure.value} />
      </p>
    </Card>
  );
}

export function ListensCard({ told }: { told: About }) {
  return (
    <Card title="What listens">
      <ul class="rows">
        {told.listens.map(({ what, protocol, address, who }) => (
          <li key={`${protocol} ${address} ${what}`}>
            <strong>{what}</strong>
            <code>
              {protocol} {address}
            </code>
            <span class="muted">for {who}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function ContactsCard({ told }: { told: About }) {
  return (
    <Card title="Who is contacted, and why">
      {told.contacts.length === 0 && <p class="muted">Nobody. This machine contacts no other.</p>}
      <ul class="rows">
        {told.contacts.map(({ host, why, when }) => (
          <li key={`${host} ${why}`}>
            <strong>{why}</strong>
            <code>{host}</code>
            <Badge tone={when === 'now' ? 'accent' : 'quiet'}>{when}</Badge>
          </li>
        ))}
      </ul>
      <p class="muted">Nothing else: no statistics, no search for updates, and this page loads nothing from other places.</p>
    </Card>
  );
}

/// A request that works as it stands, but for the key.
export function example(base: string, model: string, with_key: boolean): string {
  return [
    `curl ${base}/chat/completions \\`,
    "  -H 'content-type: application/json' \\",
    ...(with_key ? ["  -H 'authorization: Bearer YOUR_KEY' \\"] : []),
    `  -d '${JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] })}'`,
  ].join('\n');
}

export function ClientsCard() {
  const base = `${location.origin}/v1`;
  const model = models.value.find((one) => one.here === 'ready' || one.nodes > 0)?.id ?? 'starter';
  const text = example(base, model, api_key.value !== '');
  return (
    <Card title="For other programs">
      <p class="muted">Anything that speaks to the OpenAI API can use this address as its base URL.</p>
      <div class="copy-line">
        <code>{base}</code>
        <CopyButton text={base} label="Copy the address" />
      </div>
      <details>
        <summary>An example</summary>
        <pre tabIndex={0} aria-label="An example with curl">
          <code>{text}</code>
        </pre>
        <CopyButton text={text} label="Copy the example" />
      </details>
      <p class="muted">
        For monitoring: <a href="/metrics">/metrics</a> (Prometheus) and <a href="/health">/health</a>.
      </p>
    </Card>
  );
}

export function ProgramCard({ told }: { told: About }) {
  return (
    <Card title="Starling">
      <dl class="program">
        <dt>Version</dt>
        <dd>{told.version}</dd>
        <dt>Machine</dt>
        <dd>{told.platform}</dd>
        <dt>Data</dt>
        <dd>
          <code>{told.data_dir}</code>
        </dd>
        <dt>Settings</dt>
        <dd>
          read from <code>config.toml</code> there when Starling starts; <code>starling serve --help</code> names them all
        </dd>
        <dt>Started</dt>
        <dd>{new Date(told.started_unix_s * 1000).toLocaleString()}</dd>
        <dt>Made with</dt>
        <dd>{told.versions.map(({ name, version }) => `${name} ${version}`).join(', ')}</dd>
      </dl>
    </Card>
  );
}
