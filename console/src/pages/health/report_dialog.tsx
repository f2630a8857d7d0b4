import { useMemo } from 'preact/hooks';
import { bearer } from '../../api/access';
import { deployments, log, models, peers, sharing, status } from '../../live/live';
import { Dialog } from '../../ui/dialog';
import { CopyButton } from '../../ui/parts';
import { about } from './about';
import { report } from './report';

/// As things are when it is opened; a text that changes under the eyes can't be checked.
function report_now(): string {
  return report({
    about: about.peek(),
    status: status.peek(),
    peers: peers.peek().values(),
    deployments: deployments.peek(),
    models: models.peek(),
    sharing: sharing.peek(),
    log: log.peek(),
    browser: navigator.userAgent,
    known_secrets: [bearer()],
  });
}

export function ReportDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const text = useMemo(() => (open ? report_now() : ''), [open]);
  return (
    <Dialog open={open} title="A report" onClose={onClose} actions={<CopyButton text={text} label="Copy the report" />}>
      <p>
        For somebody who helps you. Invites, keys, tokens, e-mail addresses and your home folder’s name are left out, and machines stand in it by
        the beginning of their id. Look through it before you send it: log lines can name machines and models.
      </p>
      <pre class="report" tabIndex={0} role="region" aria-label="The report">
        {text}
      </pre>
    </Dialog>
  );
}
