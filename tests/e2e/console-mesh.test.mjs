// The mesh page with real nodes: a model cut over two machines is drawn as it is, and what happens to them, or to the
// page's own node, is seen without a reload.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { goTo, linkState, live, seen, startBrowser, until } from './lib/browser.mjs';
import { ask, story } from './lib/mesh.mjs';
import { deployed, layersOfStarter, stageNodes, startSplit } from './lib/split.mjs';

const patient = { timeout: 180_000 };

let browser, mesh, desk;
before(async () => {
  browser = await startBrowser();
  mesh = await startSplit({ stages: 2, clients: 1 });
  [desk] = mesh.clients;
});
after(async () => {
  await browser?.stop();
  await mesh?.stop();
});

const chain = (page) => page.getByRole('article').filter({ has: page.getByRole('heading', { name: 'starter', exact: true }) });
const stages = (page) => chain(page).getByRole('listitem');
const machine = (page, node) => page.getByRole('list', { name: 'Machines' }).getByRole('link', { name: new RegExp(`^${node.name}, `) });
const row = (page, node) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: node.name, exact: true }) });

test('a model cut over two machines: its chain, with both machines and every layer', patient, async () => {
  await browser.look(`${desk.server.url}/#/mesh`, async (page) => {
    await seen(chain(page).getByText('serving', { exact: true }));
    await seen(page.getByText('3 machines, 1 model split'));
    const nodes = stageNodes(mesh, mesh.deployment);
    await ask(desk, story(20)); // what a token costs is known from then on
    assert.equal(await stages(page).count(), 2);
    for (const [i, { first_layer: first, last_layer: last }] of mesh.deployment.stages.entries()) {
      const stage = stages(page).nth(i);
      await seen(stage.getByRole('link', { name: nodes[i].name }));
      await seen(stage.getByText(first === last ? `layer ${first}` : `layers ${first}–${last}`, { exact: true }));
      await seen(stage.getByText('ready', { exact: true }));
      await seen(stage.getByText(/^[\d.]+ [KM]B · [\d.]+ ms per token$/));
    }
    assert.equal(mesh.deployment.stages.at(-1).last_layer, layersOfStarter - 1);
    await seen(chain(page).getByText(`${nodes.at(-1).name} takes the requests`));
    await seen(page.getByRole('region', { name: 'Picture of the mesh' }).locator('canvas'));
    for (const node of mesh.nodes) await machine(page, node).waitFor({ state: 'attached' });
  });
});

test('the same as a table, and a machine\'s own page with its load', patient, async () => {
  await browser.look(`${desk.server.url}/#/mesh`, async (page) => {
    const [worker] = mesh.workers;
    await page.getByRole('button', { name: 'Table' }).click();
    for (const node of mesh.nodes) await seen(row(page, node));
    await seen(row(page, worker).getByText('worker', { exact: true }));
    await seen(row(page, worker).getByText('direct', { exact: true }));
    await seen(row(page, worker).getByText(/^[\d.]+ ms$/));
    await page.getByRole('searchbox', { name: 'Filter the machines' }).fill('client1');
    await until(async () => (await row(page, worker).count()) === 0, 'the filter leaves everybody');
    await row(page, desk).getByRole('link').click();
    await seen(page.getByRole('heading', { level: 1, name: /^client1/ }));
    await seen(page.getByText(/this machine/).first());
    await page.getByRole('link', { name: 'All machines' }).click();
    await row(page, worker).getByRole('link').click();
    await seen(page.getByRole('heading', { level: 1, name: /^worker1/ }));
    await seen(page.getByText(/part [12] of 2, layers? \d/));
    await seen(page.getByRole('row', { name: /^Processor in use \d+ % \d+ % \d+ %$/ }));
  });
});

test('a stage dies and comes back: seen without a reload', patient, async () => {
  await browser.look(`${desk.server.url}/#/mesh`, async (page) => {
    await seen(chain(page).getByText('serving', { exact: true }));
    await page.evaluate(() => (globalThis.notReloaded = true));
    const [lost] = stageNodes(mesh, mesh.deployment);
    await lost.kill();
    await until(async () => (await stages(page).count()) < 2 || (await chain(page).getByText('serving', { exact: true }).count()) === 0, 'the chain is still drawn whole');
    await until(async () => /lost/.test(await machine(page, lost).innerText()), 'the machine still seems to be there');
    await page.getByRole('button', { name: 'Table' }).click();
    await seen(row(page, lost).getByText('lost', { exact: true }));
    await page.getByRole('button', { name: 'Picture' }).click();

    await lost.start();
    mesh.deployment = await deployed(mesh.nodes, { stages: 2 });
    await seen(chain(page).getByText('serving', { exact: true }));
    await until(async () => (await stages(page).count()) === 2 && (await stages(page).getByText('ready', { exact: true }).count()) === 2, 'the chain is not whole again');
    await until(async () => !/lost/.test(await machine(page, lost).innerText()), 'the machine still seems to be lost');
    assert.equal(await page.evaluate(() => globalThis.notReloaded), true);
  });
});

test('the page\'s own node is killed and started again: the page says so, goes on, and may change things', patient, async () => {
  const [own, other] = mesh.workers;
  const port = String(own.server.port);
  await browser.look(`${own.server.url}/#/mesh`, async (page) => {
    await live(page);
    await page.evaluate(() => (globalThis.notReloaded = true));
    await own.kill();
    await seen(page.getByRole('alert').getByText('The node does not answer. This page goes on as soon as it is back.'));
    await seen(linkState(page).getByText('Node does not answer'));
    await own.start('--port', port);
    await live(page);
    await page.getByRole('alert').waitFor({ state: 'hidden' });
    await until(async () => /worker, (healthy|busy|overloaded)/.test(await machine(page, other).innerText()), 'the mesh is not told');
    await goTo(page, 'Share');
    // Only the new token of the node that was started again opens this.
    await page.getByRole('button', { name: 'Invite a machine' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make an invite' }).click();
    await seen(page.getByRole('textbox', { name: 'The invite alone' }));
    assert.equal(await page.evaluate(() => globalThis.notReloaded), true);
  });
});
