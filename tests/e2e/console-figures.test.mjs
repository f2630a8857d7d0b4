// That the console stays light and smooth. The bars here are those that hold on a small machine which does other work too;
// the real ones are those of ./dev bench console.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { all_bytes, cold_start, conversation_of, idle_percent, long_text, mesh_frames, open_conversation, scroll_frames, stream_frames } from './lib/console_figures.mjs';
import { launch, openPage } from './lib/browser.mjs';
import { built_console } from './lib/pages.mjs';
import { startServer } from './lib/server.mjs';
import { simulated_node } from './lib/simulated_node.mjs';

const first_load_bytes = 250_000;
const all_files_bytes = 400_000;
const slow_start_ms = 10_000;
const slow_frames = 15; // per second, the middle one
const slow_opening_ms = 5_000;
const idle_share = 60; // percent of a core, for a thousand machines of which two hundred change each second

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

test('the first load is small, and soon one can write', async () => {
  const node = await startServer();
  const { interactive_ms, first_bytes, requests } = await cold_start(browser, node.url);
  assert.ok(first_bytes < first_load_bytes, `${first_bytes} bytes`);
  assert.ok(first_bytes > 10_000, `${first_bytes} bytes: nothing was counted`);
  assert.ok(requests < 12, `${requests} requests`);
  assert.ok(interactive_ms < slow_start_ms, `${interactive_ms} ms`);
  const everything = await all_bytes(browser, node.url, node.nodeId, long_text(500));
  assert.ok(everything < all_files_bytes, `${everything} bytes`);
  await node.stop();
});

test('a thousand machines are drawn smoothly, and cost little when nobody looks closer', async () => {
  const node = await simulated_node({ dist: built_console, nodes: 1000 });
  const page = await openPage(browser, node.url);
  for (const [how, { median }] of Object.entries(await mesh_frames(page, 2_000))) {
    assert.ok(median >= slow_frames, `${how}: ${median} frames per second`);
  }
  await page.closeAll();
  const resting = await openPage(browser, node.url);
  await resting.waitForTimeout(2_000);
  const percent = await idle_percent(resting, 4_000);
  assert.ok(percent < idle_share, `${percent} % of a core`);
  await resting.closeAll();
  node.close();
});

test('a conversation of 50,000 tokens opens, scrolls and takes an answer', async () => {
  const node = await simulated_node({ dist: built_console, nodes: 8 });
  const page = await openPage(browser, node.url);
  const opened_ms = await open_conversation(page, node.url, conversation_of(long_text(50_000), 50));
  assert.ok(opened_ms < slow_opening_ms, `${opened_ms} ms`);
  const scrolled = await scroll_frames(page, 2_000);
  assert.ok(scrolled.median >= slow_frames, `${scrolled.median} frames per second`);
  const { frames } = await stream_frames(page, 200);
  assert.ok(frames.median >= slow_frames, `${frames.median} frames per second`);
  await page.closeAll();
  node.close();
});
