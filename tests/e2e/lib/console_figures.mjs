// How quick the console is: measured here for ./dev bench console, and in quick forms for the tests.
import { frames_per_second } from './frame_rate.mjs';
import { go, live, settled } from './browser.mjs';

/// One cold start: ms from the beginning of the navigation until one can write and the live stream is up, and what came
/// over the network for it: { interactive_ms, first_bytes, requests }.
export async function cold_start(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const network = await watch_network(page);
  await page.addInitScript(() => {
    const look = () => {
      const ready = document.querySelector('[data-link=live]') && document.querySelector('.composer textarea:enabled');
      if (ready) window.__interactive = performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto(url);
  await page.waitForFunction(() => window.__interactive !== undefined, null, { timeout: 30_000 });
  const interactive_ms = await page.evaluate(() => window.__interactive);
  await live(page);
  await page.waitForTimeout(200);
  const { bytes, requests } = network.files();
  await context.close();
  return { interactive_ms, first_bytes: bytes, requests };
}

/// Everything that the pages can ever want from the node, together.
export async function all_bytes(browser, url, node_id, answer) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const network = await watch_network(page);
  await page.goto(url);
  await live(page);
  for (const route of ['/mesh', `/mesh/${node_id}`, '/models', '/share', '/health']) {
    await go(page, route);
    await page.waitForTimeout(300);
  }
  await open_conversation(page, url, conversation_of(answer, 1));
  await page.waitForTimeout(500);
  const { bytes } = network.files();
  await context.close();
  return bytes;
}

/// Bytes as they came over the wire, headers too; streams and answers of the API are not files.
async function watch_network(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const names = new Map();
  const sizes = new Map();
  session.on('Network.responseReceived', ({ requestId, response }) => names.set(requestId, new URL(response.url).pathname));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const name = names.get(requestId);
    if (name && !/^\/(?:api|v1)\//.test(name)) sizes.set(name, encodedDataLength);
  });
  return { files: () => ({ bytes: [...sizes.values()].reduce((sum, one) => sum + one, 0), requests: sizes.size }) };
}

/// Frames while a mesh rests, is moved, and is made larger and smaller: { rest, pan, zoom }.
export async function mesh_frames(page, ms) {
  await go(page, '/mesh');
  const box = await page.locator('.mesh-canvas canvas').boundingBox();
  await page.waitForTimeout(3_000); // until all have their places
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const rest = await frames_per_second(page, null, ms);
  await page.mouse.move(x, y);
  await page.mouse.down();
  let step = 0;
  const pan = await frames_per_second(page, async () => {
    step += 1;
    await page.mouse.move(x + 120 * Math.sin(step / 8), y + 80 * Math.cos(step / 8));
  }, ms);
  await page.mouse.up();
  const zoom = await frames_per_second(page, async () => {
    step += 1;
    await page.mouse.wheel(0, step % 40 < 20 ? -60 : 60);
    await page.waitForTimeout(16);
  }, ms);
  return { rest, pan, zoom };
}

const pieces = [
  (i) => `## Part ${i}\n\nThe keeper climbed the stair for the ${i}th time, and **counted** the steps as he always did: *one* for the sea, one for the lamp, and one for the ships that were late. He wrote \`lamp.turn(${i})\` into the book, and closed it.\n\n`,
  (i) => `| hour | ships | light |\n|-----:|:------|:-----:|\n| ${i % 24} | two | on |\n| ${(i + 1) % 24} | none | on |\n| ${(i + 2) % 24} | seven | off |\n\n`,
  (i) => `1. He wakes at dusk, and looks at the water.\n2. He lights the lamp.\n3. He waits for the ${i}th ship, which comes late.\n   - with sails\n   - or without\n\n`,
  (i) => `\`\`\`cpp\n// Night ${i}\nfor (const auto& ship : harbour.ships()) {\n    if (!ship.sees(lamp)) { lamp.turn(${i}); }\n}\n\`\`\`\n\n`,
  (i) => `The focal length is $f_{${i}} = \\frac{1}{d_o} + \\frac{1}{d_i}$, as every keeper knows, and so the beam reaches a little farther than the night before.\n\n`,
];

const characters_of_token = 4; // as the composer tells people

/// Text with everything in it, of so many tokens.
export function long_text(tokens) {
  let text = '';
  for (let i = 0; text.length < tokens * characters_of_token; ++i) text += pieces[i % pieces.length](i);
  return text.slice(0, tokens * characters_of_token);
}

/// A conversation of so many questions and answers, as an exported file.
export function conversation_of(text, turns) {
  const each = Math.ceil(text.length / turns);
  const messages = Array.from({ length: turns }, (_, i) => [
    { id: `q${i}`, role: 'user', text: `And what happened in the night number ${i}?`, attachments: [] },
    { id: `a${i}`, role: 'assistant', text: text.slice(i * each, (i + 1) * each), thinking: '', state: 'done', moved: [], model: 'starter', tokens: 1 },
  ]).flat();
  const conversation = { id: `long${turns}`, title: 'A very long night', model: 'auto', updated: Date.now(), messages, settings: {} };
  return { format: 'starling-conversations', version: 1, conversations: [conversation] };
}

/// Ms from the click on a conversation until it is drawn.
export async function open_conversation(page, url, file) {
  await go(page, '/');
  await page.locator('input[accept*=json]').first()
    .setInputFiles([{ name: 'c.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(file)) }]);
  await page.locator('.list li').first().waitFor();
  const ms = await page.evaluate(async (answers) => {
    const began = performance.now();
    document.querySelector('.list li button').click();
    while (document.querySelectorAll('article.answer').length < answers) await new Promise((done) => requestAnimationFrame(done));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return performance.now() - began;
  }, file.conversations[0].messages.length / 2);
  await settled(page);
  return ms;
}

/// Frames while the messages are scrolled by the wheel, up and down.
export async function scroll_frames(page, ms) {
  const box = await page.locator('.log').boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  let step = 0;
  return frames_per_second(page, async () => {
    step += 1;
    await page.mouse.wheel(0, step % 120 < 60 ? -400 : 400);
    await page.waitForTimeout(16);
  }, ms);
}

/// Seconds of the page's main thread so far.
export async function main_thread_s(session) {
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration').value;
}

export async function performance_of(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  return session;
}

/// While an answer of so many pieces comes into the conversation that is open: { frames, ms_per_token }.
export async function stream_frames(page, tokens) {
  const session = await performance_of(page);
  const before = await page.locator('article.answer').count();
  await page.locator('.composer textarea').fill(`echo ${long_text(tokens)}`);
  const words = long_text(tokens).match(/\S*\s*/g).filter((one) => one !== '').length;
  const began_s = await main_thread_s(session);
  const frames_of = frames_per_second(page, async () => {
    await page.waitForFunction((count) => document.querySelectorAll('article.answer').length > count && !document.querySelector('article.answer[aria-busy=true]'), before, { timeout: 300_000, polling: 250 });
  }, 0);
  await page.locator('.composer button[type=submit]').click();
  const frames = await frames_of;
  const ms_per_token = ((await main_thread_s(session)) - began_s) * 1000 / words;
  return { frames, ms_per_token };
}

/// Percent of one core that the page's main thread needs while nobody touches it.
export async function idle_percent(page, ms) {
  const session = await performance_of(page);
  const before = await main_thread_s(session);
  await page.waitForTimeout(ms);
  return ((await main_thread_s(session)) - before) * 100_000 / ms;
}
