// The pages. Each but the chat comes as a file of its own when it is first opened.
import { Suspense, lazy } from 'preact/compat';
import { Link, Redirect, Route, Router, Switch, useLocation } from 'wouter-preact';
import { ChatPage } from './pages/chat/chat_page';
import { Fault } from './ui/fault';
import { use_hash_place } from './ui/hash_place';
import { KeyGate } from './ui/key_gate';
import { page_file } from './ui/page_file';
import { PageHead } from './ui/parts';
import { Shell } from './ui/shell';

const MeshPage = lazy(() => page_file(() => import('./pages/mesh/mesh_page').then((page) => page.MeshPage)));
const NodePage = lazy(() => page_file(() => import('./pages/mesh/node_page').then((page) => page.NodePage)));
const ModelsPage = lazy(() => page_file(() => import('./pages/models/models_page').then((page) => page.ModelsPage)));
const SharePage = lazy(() => page_file(() => import('./pages/share/share_page').then((page) => page.SharePage)));
const HealthPage = lazy(() => page_file(() => import('./pages/health/health_page').then((page) => page.HealthPage)));

function Place() {
  const [place] = useLocation();
  return (
    <Fault key={place}>
      <Suspense fallback={<div class="loading" aria-busy="true" />}>
        <Switch>
          <Route path="/" component={ChatPage} />
          <Route path="/chat">
            <Redirect to="/" replace />
          </Route>
          <Route path="/mesh" component={MeshPage} />
          <Route path="/mesh/:id">{({ id }) => <NodePage key={id} node_id={id} />}</Route>
          <Route path="/models" component={ModelsPage} />
          <Route path="/share" component={SharePage} />
          <Route path="/health" component={HealthPage} />
          <Route>
            <PageHead title="There is no such page" />
            <p>
              <Link href="/">To the chat</Link>
            </p>
          </Route>
        </Switch>
      </Suspense>
    </Fault>
  );
}

export function App() {
  return (
    <Router hook={use_hash_place}>
      <Shell>
        <Place />
      </Shell>
      <KeyGate />
    </Router>
  );
}
