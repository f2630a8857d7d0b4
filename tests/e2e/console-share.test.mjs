// The page "Share this computer" with real nodes: an invite carries a second machine into the mesh and a click throws it
// out; the switch, the memory and who may ask are what the other machine sees.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answered, goTo, gone, linkState, live, say, seen, startBrowser, until } from './lib/browser.mjs';
import { makeNode } from './lib/mesh.mjs';

const patient = { timeout: 180_000 };
const label = 'Let others use this computer’s models';

let browser, attic, desk;
before(async () => {
  browser = await startBrowser();
  attic = makeNode({ name: 'attic', role: 'worker' });
  desk = makeNode({ name: 'desk', role: 'client', settings: { worker_wait_s: 1 } });
  await attic.start();
});
after(async () => {
  await browser?.stop();
  await Promise.all([attic, desk].map((node) => node?.remove()));
});

const share = (node) => `${node.server.url}/#/share`;
const members = (page) => page.getByRole('region', { name: 'Members' });
const member = (page, node) => members(page).getByRole('listitem').filter({ hasText: node.name });
const sharing = (page) => page.getByRole('switch', { name: label });
/** Its file may be here, too. */
const starterElsewhere = (page) => page.getByRole('listitem').filter({ hasText: 'starter' }).getByText(/^on 1 (other )?machine$/);
const now = (node) => node.json('/api/sharing');
const offers = async (node) => (await node.json('/v1/models')).data.map(({ id }) => id);

/** Makes an invite by hand: {text, link, command}. */
async function invite(page, purpose = 'It shares its models too') {
  await page.getByRole('button', { name: 'Invite a machine' }).click();
  const dialog = page.getByRole('dialog', { name: 'Invite a machine' });
  await dialog.getByRole('radio', { name: new RegExp(`^${purpose}`) }).check();
  await dialog.getByRole('button', { name: 'Make an invite' }).click();
  const field = async (name) => (await dialog.getByRole('textbox', { name }).innerText()).trim();
  const made = { text: await field('The invite alone'), command: await field('Run on the other machine'), link: await field('As a link') };
  await seen(dialog.getByRole('img', { name: 'The invite as a QR code' }));
  await dialog.getByRole('button', { name: 'Close' }).click();
  return made;
}

test('an invite read from the page lets a machine in; it is seen, and removed, without a reload', patient, async () => {
  await browser.look(share(attic), async (page) => {
    await live(page);
    await seen(members(page).getByRole('heading', { name: 'Members 0' }));
    const made = await invite(page, 'It only uses models');
    assert.match(made.text, /^starling:[\w-]+$/);
    assert.equal(made.command, `starling client --join ${made.text}`);
    assert.equal(made.link, `${attic.server.url}/#/share?join=${made.text}`);

    await desk.start('--join', made.text);
    await seen(member(page, desk).getByText('Connected', { exact: true }));
    await seen(member(page, desk).getByText('only uses models'));
    await seen(members(page).getByRole('heading', { name: 'Members 1' }));
    await until(async () => /2 machines/.test(await linkState(page).innerText()), 'the frame does not count it');

    await browser.look(share(desk), async (other) => {
      await seen(member(other, attic).getByText('Connected', { exact: true }));
      await other.getByText('This machine may not invite others.', { exact: false }).waitFor();
      assert.equal(await other.getByRole('button', { name: 'Invite a machine' }).isEnabled(), false);
      await seen(other.getByText(/Starling was started as a client here/));
      assert.equal(await sharing(other).isEnabled(), false);
      assert.equal(await other.getByRole('slider').count(), 0);
      await goTo(other, 'Models');
      await seen(starterElsewhere(other));
    });

    await member(page, desk).getByRole('button', { name: 'Remove desk' }).click();
    await page.getByRole('dialog', { name: 'Remove desk?' }).getByRole('button', { name: 'Remove' }).click();
    await seen(page.getByText('desk is out.'));
    await until(async () => (await member(page, desk).count()) === 0 || /Away/.test(await member(page, desk).innerText()), 'it is still a member');
    await until(() => /The mesh does not take this node any more/.test(desk.log()), () => desk.log());
    await browser.look(share(desk), async (other) => {
      await live(other);
      await seen(other.getByText('This computer is no longer in the mesh.'));
      assert.equal(await member(other, attic).count(), 0);
      assert.equal(await sharing(other).isChecked(), false);
      await goTo(other, 'Mesh');
      await seen(other.getByText('starling client --join INVITE'));
      await goTo(other, 'Chat');
      await say(other, 'Hello!');
      await seen((await answered(other)).getByText(/^(This node serves no model\. Start it with starling serve,|No node that serves)/));
      await goTo(other, 'Health');
      await seen(other.getByRole('region', { name: 'Log lines' }).getByText(/The mesh does not take this node any more/).first());
    });
    await desk.stop();
  });
});

test('the switch: off for the others at once, and on again; each page that looks is told', patient, async () => {
  const visitor = makeNode({ name: 'visitor', role: 'client', settings: { worker_wait_s: 1 } });
  try {
    await visitor.start('--join', await attic.invite('client'));
    await until(async () => (await offers(visitor)).includes('starter'), 'the model is not offered');
    await browser.look(share(attic), (page) => browser.look(`${visitor.server.url}/#/models`, async (other) => {
      await live(other);
      const offered = starterElsewhere(other);
      await seen(offered);
      await sharing(page).click();
      await seen(page.getByText('Off', { exact: true }));
      assert.equal(await sharing(page).isChecked(), false);
      await gone(offered);
      await until(async () => (await offers(visitor)).length === 0, 'it is still offered');

      // On is: other machines can connect, which this one's were not so far.
      await sharing(page).click();
      const dialog = page.getByRole('dialog', { name: 'Let other machines connect?' });
      await dialog.getByRole('button', { name: 'Not now' }).click();
      assert.equal((await now(attic)).sharing, false);
      await page.evaluate(() => (globalThis.notReloaded = true));
      await sharing(page).click();
      // It lasts half a second at least, which a busy machine may take from one line here to the next.
      await Promise.all([seen(page.getByText('Restarting', { exact: true })), dialog.getByRole('button', { name: 'Share' }).click()]);
      await seen(page.getByText('On', { exact: true }));
      assert.equal(await sharing(page).isChecked(), true);
      assert.equal(await page.getByRole('alert').getByText('The node does not answer.').count(), 0);
      assert.deepEqual([(await now(attic)).sharing, (await now(attic)).reachable], [true, true]);
      await seen(offered);
      await seen(member(page, visitor).getByText('Connected', { exact: true }));

      // The page goes on, with a new token, in the same document.
      await page.getByRole('radio', { name: /^Machines on the local network may ask/ }).click();
      await seen(page.getByText(/Others on the local network may ask to join/));
      await until(async () => (await now(attic)).who === 'invite_or_ask', 'nobody may ask');
      await until(() => sharing(page).isEnabled(), 'the page can change nothing more');
      assert.equal(await page.evaluate(() => globalThis.notReloaded), true);
    }));
  } finally {
    await visitor.remove();
  }
});

test('how much memory is lent, by keyboard', patient, async () => {
  await browser.look(share(attic), async (page) => {
    const slider = page.getByRole('slider', { name: 'Memory for models' });
    await seen(slider);
    await until(() => slider.isEnabled(), 'it cannot be moved');
    await slider.focus();
    await page.keyboard.press('Home');
    const { memory_total_bytes: total } = await now(attic);
    await until(async () => (await now(attic)).memory_bytes < total / 10, async () => JSON.stringify(await now(attic)));
    const { memory_bytes: least } = await now(attic);
    await until(async () => Number(await slider.inputValue()) === least, 'the page shows another amount');
    await slider.focus();
    await page.keyboard.press('End');
    await until(async () => (await now(attic)).memory_bytes === total, async () => JSON.stringify(await now(attic)));
    await page.reload();
    await until(async () => /of/.test(await slider.getAttribute('aria-valuetext')), 'it says nothing');
  });
});

test('the link of an invite says what to do, and leaves the address', patient, async () => {
  const text = await attic.invite('worker');
  const other = makeNode({ name: 'lonely', role: 'worker' });
  try {
    await other.start();
    await browser.look(`${other.server.url}/#/share?join=${text}`, async (page) => {
      const invited = page.getByRole('region', { name: 'An invite' });
      await seen(invited.getByRole('textbox', { name: 'To share its models too' }).getByText(`starling serve --join ${text}`));
      assert.equal(page.url(), `${other.server.url}/#/share`);
      await invited.getByRole('button', { name: 'Dismiss the invite' }).click();
      await gone(invited);
    });
    await browser.look(`${attic.server.url}/#/share?join=${text}`, async (page) => {
      await seen(page.getByRole('region', { name: 'An invite' }).getByText(/in that mesh already/));
    });
  } finally {
    await other.remove();
  }
});
