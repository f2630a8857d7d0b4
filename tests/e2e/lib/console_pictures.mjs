// Makes the pictures of docs/console.md: node tests/e2e/lib/console_pictures.mjs [FOLDER [NAME…]]. The first page is that of a
// real node that is new; the others show a simulated mesh of eight machines.
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { built_console, go, launch, open_page, say, settled } from './pages.mjs';
import { startServer } from './server.mjs';
import { simulated_node } from './simulated_node.mjs';

const [folder = fileURLToPath(new URL('../../../docs/console', import.meta.url)), ...wanted] = process.argv.slice(2);
const question = 'How does a lighthouse bring a ship home? With a table and a piece of code, please.';

const to = (route, sign) => async (page) => {
  await go(page, route);
  await page.locator(sign).first().waitFor();
};

/// name → how one gets there; `real`: with a node that has nothing yet.
const pictures = {
  'first-run': { real: true, show: (page) => page.getByText('Say something').first().waitFor() },
  chat: {
    show: async (page) => {
      await say(page, question);
      await page.locator('.log').evaluate((log) => log.scrollTo(0, 0));
    },
  },
  moved: { show: (page) => say(page, 'And when the machine fails, does it move?') },
  mesh: { show: async (page) => {
    await to('/mesh', '.mesh-canvas canvas')(page);
    await page.waitForTimeout(1_500); // until all have their places
  } },
  table: { show: async (page) => {
    await to('/mesh', '.mesh-canvas canvas')(page);
    await page.getByRole('button', { name: 'Table' }).click();
  } },
  machine: { show: async (page, { mesh }) => {
    await to(`/mesh/${mesh.rows[1].node_id}`, '.uplot')(page);
  } },
  models: { show: to('/models', 'main h1') },
  share: { show: to('/share', 'main h1') },
  invite: { show: async (page) => {
    await to('/share', 'main h1')(page);
    await page.getByRole('button', { name: /invite/i }).first().click();
    await page.getByRole('button', { name: 'Make an invite' }).click();
    await page.locator('dialog svg').first().waitFor();
  } },
  health: { show: to('/health', 'main h1') },
};
const on_a_phone = ['chat', 'mesh'];

const shots = Object.keys(pictures).flatMap((name) => [
  { name, theme: 'light', file: `${name}-light.webp`, width: 1280, height: 800 },
  { name, theme: 'dark', file: `${name}-dark.png`, width: 1280, height: 800 },
  ...(on_a_phone.includes(name) ? [{ name, theme: name === 'chat' ? 'light' : 'dark', file: `${name}-phone.png`, width: 400, height: 800 }] : []),
]).filter(({ name }) => wanted.length === 0 || wanted.includes(name));

mkdirSync(folder, { recursive: true });
const browser = await launch(['--font-render-hinting=none']);
let all = 0;
for (const { name, theme, file, width, height } of shots) {
  const { real, show } = pictures[name];
  const node = real ? await startServer({ args: ['--name', 'desk'] }) : await simulated_node({ dist: built_console, nodes: 8, interval_ms: 60_000 });
  const page = await open_page(browser, node.url, { width, height, colorScheme: theme, reducedMotion: 'reduce' });
  await show(page, node);
  await settled(page);
  await page.waitForTimeout(400); // fonts of formulas, charts
  const out = path.join(folder, file);
  await page.screenshot({ path: out, caret: 'hide' });
  all += statSync(out).size;
  await page.close_all();
  await (node.stop ?? node.close)();
}
await browser.close();
console.log(`${shots.length} pictures, ${Math.round(all / 1000)} KB, in ${folder}`);
