// Figures: from samples of rounds to a table and a JSON file.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem, release } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from './contenders.mjs';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];

const spread = (values) => ({ median: round(median(values)), min: round(Math.min(...values)), max: round(Math.max(...values)) });
const round = (value) => Number(value.toPrecision(5));

/**
 * One figure. `ours` and `peer` hold one sample for each round, in the same order; the ratio is the median of the
 * rounds' own ratios, because both sides of a round saw the same machine. `target`: {ratio|ours, at: 'least'|'most'}.
 */
export function figure({ name, unit, ours, peer, target }) {
  const entry = { name, unit, rounds: ours.length, ours: spread(ours) };
  if (peer) {
    entry.peer = spread(peer);
    entry.ratio = round(median(ours.map((value, i) => value / peer[i])));
  }
  if (target) {
    const value = target.ratio !== undefined ? entry.ratio : entry.ours.median;
    const limit = target.ratio ?? target.ours;
    entry.target = `${target.ratio !== undefined ? 'ratio ' : ''}at ${target.at} ${limit}`;
    entry.met = target.at === 'least' ? value >= limit : value <= limit;
  }
  return entry;
}

export function printTable(figures, peer = 'llama-server') {
  const rows = [['figure', 'unit', 'starling', peer, 'ratio', 'target', 'met']];
  for (const f of figures) {
    rows.push([f.name, f.unit, String(f.ours.median), f.peer ? String(f.peer.median) : '-', f.ratio === undefined ? '-' : f.ratio.toFixed(3),
      f.target ?? '-', f.met === undefined ? '-' : f.met ? 'yes' : 'NO']);
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    console.log(row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ').trimEnd());
  }
}

function commit() {
  const git = (...args) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();
  try {
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') ? '+changes' : '');
  } catch {
    return 'unknown';
  }
}

export function writeResults(name, settings, figures) {
  const file = join(root, 'bench/results', `${name}.json`);
  const result = {
    machine: { processor: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memory_bytes: totalmem(), system: `${process.platform} ${release()}` },
    commit: commit(),
    date: new Date().toISOString(),
    settings,
    figures,
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  return file;
}
