// What a split model moves over the network: its weights never, where every machine has the file; and for each token
// the hidden state once for each hop, in the type that was asked for.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startNetlab, whyNoNetlab } from './lib/netlab.mjs';
import { eventually, user } from './lib/server.mjs';
import { counter, models, startSplit, widthOfStarter } from './lib/split.mjs';

const needsNetlab = { skip: whyNoNetlab, timeout: 120_000 };
const stages = 4;
const frameBytes = 160; // at most: length, header, and one sequence of it
const weights = statSync(path.join(models, 'starter.gguf')).size;

for (const [type, size] of [['f16', 2], ['f32', 4]]) {
  describe(`4 nodes, ${type}`, () => {
    let lab, mesh, formed;
    const carried = async () => (await lab.stats()).reduce((sum, { bytes }) => sum + bytes, 0);
    const counted = async (direction) => (await Promise.all(mesh.workers.map((node) => counter(node, 'starling_stage_bytes_total', `"${direction}"`)))).reduce((a, b) => a + b);
    before(async () => {
      if (whyNoNetlab) return;
      lab = await startNetlab({ hosts: stages, delayMs: 1 });
      mesh = await startSplit({ stages, lab, settings: { activations: type } });
      formed = await carried();
    });
    after(async () => {
      await mesh?.stop();
      await lab?.stop();
    });

    test('no weights cross the network', needsNetlab, () => {
      assert.ok(formed < weights / 10, `${formed} bytes until it served; the model has ${weights}`);
    });

    test('each token moves its hidden state once for each hop, and little else', needsNetlab, async () => {
      const { client } = mesh.byId(mesh.deployment.coordinator);
      await client.completions.create({ model: 'starter', prompt: 'Once', max_tokens: 1 }); // what is sent once, at the beginning
      const earlier = { sent: await counted('sent'), received: await counted('received'), carried: await carried() };
      const body = { model: 'starter', messages: [user(`Tell me a story about ${type} numbers.`)], max_tokens: 200, temperature: 0, ignore_eos: true };
      const { usage } = await client.chat.completions.create(body);
      const since = async () => [(await counted('sent')) - earlier.sent, (await counted('received')) - earlier.received];
      await eventually(async () => new Set(await since()).size === 1, 2000); // the last frames are on their way
      const [sent, received] = await since();
      assert.equal(received, sent, 'what was sent has come');
      const passed = usage.prompt_tokens - (usage.prompt_tokens_details?.cached_tokens ?? 0) + usage.completion_tokens - 1;
      const states = passed * (stages - 1) * widthOfStarter * size;
      const frames = (usage.completion_tokens + 8) * stages * frameBytes; // a step for each token, and a few for the prompt
      assert.ok(sent >= states, `${sent} bytes for ${passed} tokens, whose states have ${states}`);
      assert.ok(sent <= states + frames, `${sent} bytes for ${passed} tokens, whose states have ${states}; at most ${states + frames}`);
      const wire = (await carried()) - earlier.carried;
      assert.ok(wire >= sent && wire < 2 * sent + 200_000, `${wire} bytes on the network for ${sent}`);
    });
  });
}
