import { ClipboardList } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { status } from '../../live/live';
import { PageHead } from '../../ui/parts';
import { about, about_failure, use_about } from './about';
import { ClientsCard, ContactsCard, ListensCard, ProgramCard, RefusedCard } from './about_cards';
import './health.css';
import { LogCard } from './log_card';
import { EngineCard, HealthCard, RoutingCard } from './now_cards';
import { ReportDialog } from './report_dialog';
import { ThemeCard } from './theme_card';

export function HealthPage() {
  use_about();
  const [reporting, set_reporting] = useState(false);
  const now = status.value;
  const told = about.value;
  return (
    <>
      <PageHead title="Settings and health" lead="How this machine is, whom it talks to, and what it has to say.">
        <button type="button" class="outline with-icon" onClick={() => set_reporting(true)}>
          <ClipboardList size={18} aria-hidden="true" /> Copy a report
        </button>
      </PageHead>
      {!now && <div class="loading" aria-busy="true" />}
      {now && (
        <div class="health-grid">
          <HealthCard now={now} />
          <div>
            <EngineCard now={now} />
            <ThemeCard />
          </div>
        </div>
      )}
      <RoutingCard />
      <div class="health-grid">
        {told && <ListensCard told={told} />}
        {told && <ContactsCard told={told} />}
        <ClientsCard />
        {told && <ProgramCard told={told} />}
        {!told && about_failure.value && <RefusedCard />}
      </div>
      <LogCard />
      <ReportDialog open={reporting} onClose={() => set_reporting(false)} />
    </>
  );
}
