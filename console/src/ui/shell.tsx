// The frame of every page: where one can go, how the node is, and notices.
import { Activity, Boxes, MessageSquare, Network, Share2 } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { Link, useRoute } from 'wouter-preact';
import { key_wanted } from '../api/access';
import { asking, hello, link, peers, requests, status, turned_away } from '../live/live';
import { restarting } from '../live/restart';
import { plural } from '../format';
import { Toasts } from './toast';

const places = [
  { path: '/', name: 'Chat', Icon: MessageSquare },
  { path: '/mesh', name: 'Mesh', Icon: Network },
  { path: '/models', name: 'Models', Icon: Boxes },
  { path: '/share', name: 'Share', Icon: Share2 },
  { path: '/health', name: 'Health', Icon: Activity },
] as const;

function Place({ path, name, Icon }: (typeof places)[number]) {
  const [active] = useRoute(path === '/' ? '/' : `${path}/*?`);
  const waiting = path === '/share' ? requests.value.length + (asking.value && !asking.value.confirmed ? 1 : 0) : 0;
  return (
    <li>
      <Link href={path} aria-current={active ? 'page' : undefined}>
        <Icon size={20} aria-hidden="true" />
        <span>{name}</span>
        {waiting > 0 && (
          <span class="count" aria-label={plural(waiting, 'request')}>
            {waiting}
          </span>
        )}
      </Link>
    </li>
  );
}

function LinkState() {
  const alive = [...peers.value.values()].filter((one) => one.state === 'alive' || one.state === 'suspect').length;
  const text =
    link.value === 'live'
      ? alive > 1
        ? plural(alive, 'machine')
        : 'This machine alone'
      : link.value === 'connecting'
        ? 'Connecting…'
        : link.value === 'refused'
          ? 'Key needed'
          : restarting.value
            ? 'Restarting…'
            : turned_away.value
              ? 'Not connected'
              : 'Node does not answer';
  return (
    <div class="link-state" data-link={link.value}>
      <span class="dot" aria-hidden="true" />
      <span>
        <strong>{status.value?.name ?? hello.value?.name ?? 'Starling'}</strong>
        <small>{text}</small>
      </span>
    </div>
  );
}

export function Shell({ children }: { children: ComponentChildren }) {
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <nav class="side" aria-label="Pages">
        <div class="brand">
          <img src="/icon.svg" alt="" width="28" height="28" />
          <span>Starling</span>
        </div>
        <ul>
          {places.map((place) => (
            <Place key={place.path} {...place} />
          ))}
        </ul>
        <LinkState />
      </nav>
      {link.value === 'lost' && !restarting.value && (
        <div class="banner" role="alert">
          {turned_away.value || 'The node does not answer.'} This page goes on as soon as it {turned_away.value ? 'may' : 'is back'}.
        </div>
      )}
      {link.value === 'refused' && !key_wanted.value && (
        <div class="banner" role="alert">
          This node asks for an API key.{' '}
          <button type="button" class="outline small" onClick={() => (key_wanted.value = true)}>
            Enter the key
          </button>
        </div>
      )}
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <Toasts />
    </div>
  );
}

/// The address after # is the page's; a link into the page must not change it.
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
