// One line for a machine that was put out of its mesh: otherwise its pages only show that nobody is there any more.
import { status } from '../live/live';
import { Sentence } from './sentence';

export function RemovedLine() {
  const why = status.value?.removed;
  if (!why) return null;
  const verb = status.value?.role === 'client' ? 'client' : 'serve';
  return (
    <div class="read-only" role="note">
      <span>
        <strong>This computer is no longer in the mesh.</strong> {why} It answers its own users alone.{' '}
        <Sentence text={`To come back, start it with a new invite: \`starling ${verb} --join INVITE\`.`} />
      </span>
    </div>
  );
}
