// Makes the pictures of docs/console.md: node tests/e2e/lib/console_pictures.mjs [FOLDER [NAME…]]. They show a simulated mesh
// of eight machines, and for the first page a machine that is new and alone.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask, go, launch, openPage, settled } from './browser.mjs';
import { built_console } from './pages.mjs';
import { simulated_node } from './simulated_node.mjs';

const [folder = fileURLToPath(new URL('../../../docs/console', import.meta.url)), ...wanted] = process.argv.slice(2);
const quality = 82; // of WebP: text stays sharp, and all pictures together small
const question = 'How does a lighthouse bring a ship home? With a table, and as a program.';
const answer = `A lighthouse does **not** light the way. It says *where it is*, and the ship knows the rest:

1. Each light blinks in a rhythm of its own.
2. The chart says which rhythm stands where.
3. How far one sees it depends on its height: $d \\approx 3.57\\,(\\sqrt{h_1} + \\sqrt{h_2})$ km, heights in metres.

| light | rhythm | seen from |
|:------|:-------|----------:|
| harbour | one flash in 5 s | 18 km |
| reef | two flashes in 10 s | 26 km |

\`\`\`cpp
// A ship that comes home at night.
while (!ship.is_home()) {
    const auto light = chart.find(ship.rhythm_seen());
    ship.steer(light.bearing() + chart.safe_angle(light));
}
\`\`\`
`;

const to = (route, sign) => async (page) => {
  await go(page, route);
  await page.locator(sign).first().waitFor();
};

/// name → how one gets there; `alone`: at a machine that has nothing yet.
const pictures = {
  'first-run': { alone: true, show: (page) => page.getByText('Say something').first().waitFor() },
  chat: {
    show: async (page) => {
      await ask(page, question);
      await page.locator('.log').evaluate((log) => log.scrollTo(0, 0));
    },
  },
  moved: { show: (page) => ask(page, 'How does one move a ship by night? With a table, and as a program.') },
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
  { name, theme: 'dark', file: `${name}-dark.webp`, width: 1280, height: 800 },
  ...(on_a_phone.includes(name) ? [{ name, theme: name === 'chat' ? 'light' : 'dark', file: `${name}-phone.webp`, width: 400, height: 800 }] : []),
]).filter(({ name }) => wanted.length === 0 || wanted.includes(name));

mkdirSync(folder, { recursive: true });
const browser = await launch(['--font-render-hinting=none']);
let all = 0;
for (const { name, theme, file, width, height } of shots) {
  const { alone, show } = pictures[name];
  const node = await simulated_node({ dist: built_console, nodes: alone ? 1 : 8, interval_ms: 60_000 });
  const { mesh } = node;
  if (alone) Object.assign(mesh, { requests: [], models: mesh.models.filter(({ id }) => id === 'starter').map((row) => ({ ...row, nodes: 0 })) });
  mesh.answer = answer;
  const page = await openPage(browser, node.url, { width, height, colorScheme: theme, reducedMotion: 'reduce' });
  await show(page, node);
  await settled(page);
  await page.waitForTimeout(400); // fonts of formulas, charts
  const out = path.join(folder, file);
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality });
  const picture = Buffer.from(data, 'base64');
  writeFileSync(out, picture);
  all += picture.length;
  await page.closeAll();
  node.close();
}
await browser.close();
console.log(`${shots.length} pictures, ${Math.round(all / 1000)} KB, in ${folder}`);
