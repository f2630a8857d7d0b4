// ./dev bench plan: who gets which layers, by three planners, on clusters drawn from seeds.
//
// One simulator judges all of them, event by event (tests/sim/chain_simulator.hpp), with times that jitter by 10 %. The
// other two planners use every machine of the cluster: layers in proportion to free memory, and layers in proportion to
// speed as far as memory allows. They may try every number of groups; ours has to name it. Usual: a model that about
// fits the cluster, for which one machine may do. Split: no machine holds it alone. Awkward: few layers, cuts at some of
// them only, memory that just suffices or just does not.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parse } from './lib/arguments.mjs';
import { root } from './lib/contenders.mjs';
import { figure, median, printTable, writeResults } from './lib/figures.mjs';

const options = parse({ clusters: 100, seed: 1, no_results: false });
execFileSync('bash', [join(root, 'dev'), 'build', 'release', 'plan_bench'], { stdio: ['ignore', 'inherit', 'inherit'] });
const judge = join(root, 'build/release/tests/sim/plan_bench');
const lines = execFileSync(judge, [String(options.clusters), String(options.seed)], { encoding: 'utf8', maxBuffer: 1 << 28 });
const clusters = lines.trim().split('\n').map((line) => JSON.parse(line));

const figures = [];
const share = (part, whole) => (whole.length ? (100 * part.length) / whole.length : 100);

for (const kind of ['usual', 'split', 'awkward']) {
  const here = clusters.filter((c) => c.kind === kind);
  const possible = here.filter((c) => c.feasible);
  const wrong = here.filter((c) => !c.feasible && c.ours);
  if (wrong.length || here.some((c) => c.ours?.broken)) throw new Error(`${kind}: a plan that does not fit`);
  figures.push(figure({ name: `${kind}: a plan where any fits (${possible.length} of ${here.length})`, unit: '%',
    ours: [share(possible.filter((c) => c.ours), possible)], target: { ours: 100, at: 'least' } }));
  for (const [rival, called] of [['memory', 'by memory'], ['speed', 'by speed']]) {
    const both = possible.filter((c) => c.ours && c[rival]);
    figures.push(figure({ name: `${kind}: ${called}: a plan where any fits`, unit: '%', ours: [share(possible.filter((c) => c[rival]), possible)] }));
    if (!both.length || kind === 'awkward') continue;
    for (const [what, text] of [['one', 'one stream'], ['all', 'all slots busy']]) {
      const ours = both.map((c) => c.ours[what]);
      const peer = both.map((c) => c[rival][what]);
      const asked = rival === 'memory' ? { target: { ratio: 1.3, at: 'least' } } : {};
      figures.push(figure({ name: `${kind}: ${text}, beside ${called}`, unit: 'tokens/s', ours, peer, ...asked }));
      const ratios = ours.map((rate, i) => rate / peer[i]);
      figures.push(figure({ name: `${kind}: ${text}, beside ${called}: worst ratio`, unit: 'ours / theirs', ours: [Math.min(...ratios)] }));
    }
  }
  const planned = here.filter((c) => c.ours);
  for (const [what, text] of [['one', 'one stream'], ['all', 'all slots busy']]) {
    const errors = planned.map((c) => 100 * Math.abs(c.ours[`predicted_${what}`] / c.ours[what] - 1));
    figures.push(figure({ name: `${kind}: ${text}: prediction is off by`, unit: '%', ours: errors }));
  }
  figures.push(figure({ name: `${kind}: processor time for a plan`, unit: 'ms', ours: here.map((c) => c.plan_ms) }));
}

printTable(figures, 'the other');
console.log(`\nthe slowest plan: ${Math.max(...clusters.map((c) => c.plan_ms)).toFixed(0)} ms; median ${median(clusters.map((c) => c.plan_ms)).toFixed(2)} ms`);
if (!options.no_results) console.log(`written to ${writeResults('plan', options, figures)}`);
