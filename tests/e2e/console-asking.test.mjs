// A machine on the local network asks to join, and the person at the member's page compares the codes and decides. The two
// have a network of their own (lib/netlab.mjs).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gone, goTo, live, seen, startBrowser, until } from './lib/browser.mjs';
import { makeNode } from './lib/mesh.mjs';
import { startNetlab, whyNoNetlab } from './lib/netlab.mjs';

const needsNetlab = { skip: whyNoNetlab, timeout: 180_000 };

let browser, lab, member;
before(async () => {
  if (whyNoNetlab) return;
  [browser, lab] = await Promise.all([startBrowser(), startNetlab({ hosts: 2 })]);
  member = nodeAt(1, 'attic', { peer_bind: lab.address(1) });
  await member.start('--lan');
});
after(async () => {
  await browser?.stop();
  await member?.remove();
  await lab?.stop();
});

function nodeAt(host, name, settings = {}) {
  return makeNode({ name, role: 'worker', at: lab.at(host), settings });
}

const eventsOf = (node, kind) => node.server.stdout.split('\n').filter((line) => line.includes(`"event":"${kind}"`)).map((line) => JSON.parse(line));
const requests = (page) => page.getByRole('region', { name: 'Requests to join' });

/** Waits until a newcomer's request is on the page, whatever page it is; goes there. The code is that of its own screen. */
async function lookAtRequest(page, newcomer) {
  const place = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: /Share/ });
  await seen(place.getByLabel('1 request'));
  await place.click();
  await seen(requests(page).getByRole('heading', { name: 'A machine asks to join' }));
  await until(() => eventsOf(newcomer, 'asked').length > 0, 'the newcomer shows no code');
  const [{ code }] = eventsOf(newcomer, 'asked').slice(-1);
  await seen(requests(page).getByText(code, { exact: true }));
  return { code, request: requests(page).getByRole('listitem').filter({ hasText: newcomer.name }) };
}

test('a machine asks: its code is on the page, and a yes on both sides lets it in', needsNetlab, async () => {
  const newcomer = nodeAt(2, 'laptop');
  try {
    await browser.look(member.server.url, async (page) => {
      await live(page);
      await newcomer.start('--lan', '--ask');
      const { code, request } = await lookAtRequest(page, newcomer);
      await request.getByRole('button', { name: 'Yes, let it in' }).click();
      await seen(page.getByText('laptop is let in as soon as somebody there says yes, too.'));
      await browser.look(`${newcomer.server.url}/#/share`, async (other) => {
        const own = other.getByRole('region', { name: 'This computer asks to join' });
        await seen(own.getByRole('heading', { name: 'This computer asks attic to be let in' }));
        await seen(own.getByText(code, { exact: true }));
        await seen(own.getByText('Somebody there has said yes.'));
        await own.getByRole('button', { name: 'Yes, join' }).click();
        await gone(own);
        await seen(other.getByRole('region', { name: 'Members' }).getByRole('listitem').filter({ hasText: 'attic' }).getByText('Connected', { exact: true }));
      });
      await seen(page.getByRole('region', { name: 'Members' }).getByRole('listitem').filter({ hasText: 'laptop' }).getByText('Connected', { exact: true }));
      await gone(requests(page));
    });
  } finally {
    await newcomer.remove();
  }
});

test('a no on either page is the end of it', needsNetlab, async () => {
  const newcomer = nodeAt(2, 'stranger');
  try {
    await newcomer.start('--lan', '--ask');
    await browser.look(member.server.url, async (page) => {
      const { request } = await lookAtRequest(page, newcomer);
      await request.getByRole('button', { name: 'Refuse' }).click();
      await seen(page.getByText('stranger was refused.'));
      await gone(requests(page));
      await goTo(page, 'Mesh');
      assert.equal(await page.getByRole('link', { name: /^stranger, / }).count(), 0);
    });
    await newcomer.stop();
    await newcomer.start('--lan', '--ask');
    await browser.look(`${newcomer.server.url}/#/share`, async (page) => {
      const own = page.getByRole('region', { name: 'This computer asks to join' });
      await own.getByRole('button', { name: 'No, another code or none' }).click();
      await seen(page.getByText('This computer does not join the mesh of attic.'));
      await gone(own);
    });
  } finally {
    await newcomer.remove();
  }
});
