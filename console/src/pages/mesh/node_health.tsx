// How the health score comes about, in plain words.
import type { Health, Peer } from '../../live/types';
import { Card } from '../../ui/parts';
import { health_parts, health_sentence } from './words';

function Part({ label, percent, points, of }: { label: string; percent: number; points: number; of: number }) {
  return (
    <li>
      <span>{label}</span>
      <meter min={0} max={100} value={percent} aria-label={label} />
      <span class="number">{Math.round(percent)} %</span>
      <small class="muted number">
        {Math.round(points)} of {of}
      </small>
    </li>
  );
}

function Score({ health }: { health: Health }) {
  return (
    <>
      <p class="health-score">
        <strong>{Math.round(health.score)}</strong> of 100 points
      </p>
      <p class="muted">{health_sentence(health)}</p>
      <ul class="health-parts">
        {health_parts(health).map((part) => (
          <Part key={part.label} {...part} />
        ))}
      </ul>
    </>
  );
}

export function NodeHealth({ peer }: { peer: Peer }) {
  return <Card title="Health now">{peer.health ? <Score health={peer.health} /> : <p class="muted">It has not told how it is.</p>}</Card>;
}
