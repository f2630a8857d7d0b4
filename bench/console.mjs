// ./dev bench console: how soon one can use the web console, what it weighs, and how smoothly it draws.
//
// The start is measured with a real node on the loopback and a browser context that has seen nothing yet. A mesh of a
// thousand machines and answers of any length come from the simulated node of the end-to-end tests, which serves the same
// files. The browser draws in software where the machine has no GPU, and counts frames of at most 60 per second.
import { parse } from './lib/arguments.mjs';
import { figure, printTable, writeResults } from './lib/figures.mjs';
import {
  all_bytes, cold_start, conversation_of, idle_percent, long_text, mesh_frames, open_conversation, scroll_frames, stream_frames,
} from '../tests/e2e/lib/console_figures.mjs';
import { launch, openPage } from '../tests/e2e/lib/browser.mjs';
import { built_console } from '../tests/e2e/lib/pages.mjs';
import { startServer } from '../tests/e2e/lib/server.mjs';
import { simulated_node } from '../tests/e2e/lib/simulated_node.mjs';

const options = parse({ starts: 15, rounds: 3, nodes: 1000, tokens: 50_000, streamed: 1_000, frames_ms: 5_000, parts: 'start,mesh,chat,idle', no_results: false });
const parts = options.parts.split(',');
const figures = [];
const add = (what) => {
  figures.push(figure(what));
  console.error(`bench: ${what.name}: done`);
};
const browser = await launch();

async function starts() {
  const node = await startServer();
  const rounds = [];
  await cold_start(browser, node.url); // the browser itself is warm
  for (let i = 0; i < options.starts; ++i) rounds.push(await cold_start(browser, node.url));
  const everything = await all_bytes(browser, node.url, node.nodeId, long_text(2_000));
  await node.stop();
  add({ name: 'cold cache, loopback: from navigation to interactive', unit: 'ms', ours: rounds.map((one) => one.interactive_ms), target: { ours: 1000, at: 'most' } });
  add({ name: 'first load, as it comes over the wire', unit: 'KB', ours: rounds.map((one) => one.first_bytes / 1000), target: { ours: 250, at: 'most' } });
  add({ name: 'first load, requests for files', unit: 'requests', ours: rounds.map((one) => one.requests) });
  add({ name: 'every file of every page', unit: 'KB', ours: [everything / 1000] });
}

const smooth = { target: { ours: 30, at: 'least' } };

function add_frames(name, rounds) {
  add({ name: `${name}: median`, unit: 'frames/s', ours: rounds.map((one) => one.median), ...smooth });
  add({ name: `${name}: worst tenth`, unit: 'frames/s', ours: rounds.map((one) => one.worst_tenth), ...smooth });
  add({ name: `${name}: longest frame`, unit: 'ms', ours: rounds.map((one) => one.longest_ms) });
}

async function with_mesh(nodes, work, settings = {}) {
  const node = await simulated_node({ dist: built_console, nodes, ...settings });
  const page = await openPage(browser, node.url);
  try {
    return await work(page, node);
  } finally {
    await page.closeAll();
    node.close();
  }
}

async function mesh() {
  const rounds = [];
  for (let i = 0; i < options.rounds; ++i) rounds.push(await with_mesh(options.nodes, (page) => mesh_frames(page, options.frames_ms)));
  for (const [how, text] of [['rest', 'a fifth of the rows changes each second'], ['pan', 'moved'], ['zoom', 'larger and smaller']]) {
    add_frames(`${options.nodes} machines, ${text}`, rounds.map((one) => one[how]));
  }
}

async function chat() {
  const rounds = [];
  for (let i = 0; i < options.rounds; ++i) {
    rounds.push(await with_mesh(8, async (page, { url }) => {
      const opened_ms = await open_conversation(page, url, conversation_of(long_text(options.tokens), 50));
      const scrolled = await scroll_frames(page, options.frames_ms);
      const streamed = await stream_frames(page, options.streamed);
      return { opened_ms, scrolled, ...streamed };
    }));
  }
  const what = `conversation of ${options.tokens} tokens`;
  add({ name: `${what}: from click to drawn`, unit: 'ms', ours: rounds.map((one) => one.opened_ms) });
  add_frames(`${what}, scrolled`, rounds.map((one) => one.scrolled));
  add_frames(`${what}, an answer streams into it`, rounds.map((one) => one.frames));
  add({ name: `${what}: main thread for each piece that comes`, unit: 'ms', ours: rounds.map((one) => one.ms_per_token) });
}

async function idle() {
  for (const route of ['/', '/mesh']) {
    const rounds = [];
    for (let i = 0; i < options.rounds; ++i) {
      rounds.push(await with_mesh(options.nodes, async (page) => {
        await page.goto(`${page.url().split('#')[0]}#${route}`);
        await page.waitForTimeout(4_000);
        return idle_percent(page, options.frames_ms);
      }));
    }
    add({ name: `${options.nodes} machines, live, untouched, ${route === '/' ? 'chat' : 'mesh'}: main thread`, unit: '% of a core', ours: rounds });
  }
}

try {
  if (parts.includes('start')) await starts();
  if (parts.includes('mesh')) await mesh();
  if (parts.includes('chat')) await chat();
  if (parts.includes('idle')) await idle();
} finally {
  await browser.close();
}
printTable(figures, 'another');
const { no_results, ...settings } = options;
if (!no_results) console.error(`bench: written to ${writeResults('console', settings, figures)}`);
process.exit(0);
