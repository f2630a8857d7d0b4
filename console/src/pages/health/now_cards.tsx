// How the node is now, and what became of the requests that it was given.
import { duration } from '../../format';
import { name_of, status } from '../../live/live';
import type { Decision, Status } from '../../live/types';
import { Badge, Card, type Tone } from '../../ui/parts';

const tones: Record<Status['health']['state'], Tone> = { healthy: 'good', busy: 'warm', overloaded: 'bad' };
const names: Record<Status['health']['state'], string> = { healthy: 'Healthy', busy: 'Busy', overloaded: 'Overloaded' };

function Part({ name, value }: { name: string; value: number }) {
  const rounded = Math.round(value);
  return (
    <label class="part">
      <span>{name}</span>
      <progress value={rounded} max={100} />
      <span class="number">{rounded} %</span>
    </label>
  );
}

export function HealthCard({ now }: { now: Status }) {
  const { health } = now;
  return (
    <Card title="This machine" actions={<Badge tone={tones[health.state] ?? 'quiet'}>{names[health.state] ?? health.state}</Badge>}>
      <div class="health-now">
        <p class="score">
          <strong>{Math.round(health.score)}</strong>
          <span class="muted">of 100</span>
        </p>
        <div>
          <Part name="Processor in use" value={health.cpu} />
          <Part name="Memory in use" value={health.memory} />
          <Part name="Queue free" value={health.queue} />
        </div>
      </div>
      <p class="muted">Two fifths each for processor and memory that are free, one fifth for the queue. Running for {duration(now.uptime_s)}.</p>
    </Card>
  );
}

function Figure({ value, name }: { value: string | number; name: string }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

export function EngineCard({ now }: { now: Status }) {
  const { engine } = now;
  return (
    <Card title="Answers under way">
      <dl class="figures">
        <Figure name="at work" value={`${engine.busy} of ${engine.slots}`} />
        <Figure name="waiting" value={engine.queued} />
        <Figure name="tokens a second" value={engine.tokens_per_s.toFixed(1)} />
      </dl>
    </Card>
  );
}

function what_happened(one: Decision): string {
  if (one.resumed_at !== undefined) return `went on after ${one.resumed_at} tokens${one.cause ? `: ${one.cause}` : ''}`;
  return one.cause ?? '';
}

function Decisions({ recent }: { recent: readonly Decision[] }) {
  return (
    <div class="table-wrap" role="region" aria-label="Last decisions" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Answered by</th>
            <th scope="col">Why there</th>
            <th scope="col">What happened</th>
          </tr>
        </thead>
        <tbody>
          {recent.map((one, index) => (
            <tr key={`${one.request_id} ${index}`}>
              <td>{one.model}</td>
              <td>{name_of(one.node_id)}</td>
              <td>{one.reason}</td>
              <td>{what_happened(one)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function RoutingCard() {
  const routing = status.value?.routing;
  if (!routing) return null;
  return (
    <Card title="Requests">
      <dl class="figures">
        <Figure name="answered here" value={routing.here} />
        <Figure name="by other machines" value={routing.to_peers} />
        <Figure name="moved on" value={routing.moved_on} />
        <Figure name="resumed in mid-answer" value={routing.resumed} />
        <Figure name="lost" value={routing.lost} />
      </dl>
      {routing.recent.length === 0 ? (
        <p class="muted">The last decisions, where a request went and why, will stand here.</p>
      ) : (
        <Decisions recent={[...routing.recent].reverse()} />
      )}
    </Card>
  );
}
