// The dashboard, the alerts and docs/monitoring.md speak of metrics that nodes really have, and of all of them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse as parseYaml } from 'yaml';
import { ask, startMesh, story, tell } from './lib/mesh.mjs';
import { faultsOf, readLabelValues, readMetrics, readPromQl } from './lib/promql.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const read = (file) => readFileSync(path.join(root, file), 'utf8');
const board = JSON.parse(read('deploy/grafana/starling.json'));
const scraping = parseYaml(read('deploy/prometheus/prometheus.yml'));
const alerts = parseYaml(read('deploy/prometheus/rules.yml')).groups.flatMap(({ rules }) => rules);

/** By Prometheus, not by the node. */
const prometheus = { added: ['job', 'instance'], others: ['up'] };
const gridWidth = 24;

const flat = (panels) => panels.flatMap((panel) => [panel, ...flat(panel.panels ?? [])]);
const panels = flat(board.panels);
const queries = panels.flatMap((panel) => (panel.targets ?? []).map(({ expr, legendFormat }) =>
  ({ where: `panel '${panel.title}'`, expr, texts: [legendFormat ?? ''] })));
const rules = alerts.map(({ alert, expr, annotations }) => ({ where: `alert ${alert}`, expr, texts: Object.values(annotations) }));
const variables = board.templating.list.map(({ name, query, definition }) => ({ name, definition, query: query.query }));

let mesh;
let fresh; // what a node gives that was asked for nothing
let used; // and what it gives afterwards

before(async () => {
  mesh = await startMesh({ workers: 2 });
  const [first] = mesh.workers;
  const scrape = async () => readMetrics(await (await first.server.get('/metrics')).text());
  fresh = await scrape();
  await ask(first, story(8));
  assert.equal((await tell(first, story(8))).error, null);
  await first.client.embeddings.create({ model: 'starter', input: 'a lighthouse' });
  await assert.rejects(ask(first, { ...story(8), model: 'no-such-model' }), { status: 404 });
  await assert.rejects(ask(first, { ...story(8), temperature: 'hot' }), { status: 400 });
  used = await scrape();
});
after(() => mesh?.stop());

test('every family is there before its first event', () => {
  assert.deepEqual([...fresh.families.keys()].sort(), [...used.families.keys()].sort());
  assert.deepEqual([...fresh.samples].filter(([, { series }]) => series.length === 0), []);
});

test('requests are counted', () => {
  const counted = (name) => used.families.get(name).total - fresh.families.get(name).total;
  assert.equal(counted('starling_time_to_first_token_seconds'), 2);
  assert.equal(counted('starling_generated_tokens_total'), 16);
  assert.ok(counted('starling_http_requests_total') >= 5);
  assert.equal(counted('starling_routed_requests_total'), 3);
});

test('every expression asks for metrics, labels and values that a node has', () => {
  const faults = [...queries, ...rules].flatMap(({ where, expr }) => faultsOf(readPromQl(expr), used, prometheus).map((fault) => `${where}: ${fault}`));
  assert.deepEqual(faults, []);
});

test('every label that a legend or an alert shows is one of the result', () => {
  for (const { where, expr, texts } of [...queries, ...rules]) {
    const { keeps, selectors } = readPromQl(expr);
    const labels = keeps ?? [...prometheus.added, ...selectors.flatMap(({ metric }) => (used.samples.get(metric)?.series ?? []).flatMap(Object.keys))];
    for (const [, label] of texts.flatMap((text) => [...text.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)])) {
      assert.ok(labels.includes(label), `${where}: no label ${label} in ${labels}`);
    }
  }
});

test("the dashboard's variables are of labels that a node has, and those that are used are there", () => {
  for (const { name, query, definition } of variables) {
    const { expression, label } = readLabelValues(query);
    assert.ok(expression, `$${name}: ${query} is no label_values(selector, label)`);
    assert.equal(definition, query, `$${name}`);
    const asked = readPromQl(expression);
    assert.deepEqual(faultsOf({ ...asked, selectors: asked.selectors.map((one) => ({ ...one, grouped: [label] })) }, used, prometheus), []);
  }
  const names = variables.map(({ name }) => name);
  const texts = [...queries.map(({ expr }) => expr), ...variables.map(({ query }) => query)];
  const wanted = new Set(texts.flatMap((text) => [...text.matchAll(/\$(?!__)\{?(\w+)/g)].map(([, name]) => name)));
  assert.deepEqual([...wanted].sort(), names.sort());
});

test('the dashboard can be imported', () => {
  const [{ name, type, pluginId }] = board.__inputs;
  assert.deepEqual({ type, pluginId }, { type: 'datasource', pluginId: 'prometheus' });
  assert.equal(board.id, null);
  assert.match(board.uid, /^[\w-]{1,40}$/);
  assert.ok(board.schemaVersion >= 39);
  const sources = [...panels.filter((panel) => panel.type !== 'row'), ...panels.flatMap(({ targets }) => targets ?? []), ...board.templating.list];
  for (const { datasource, title, expr, name: variable } of sources) {
    assert.deepEqual(datasource, { type: 'prometheus', uid: `\${${name}}` }, title ?? expr ?? variable);
  }
  assert.deepEqual(panels.filter(({ title }) => !title), []);
});

test('each panel has an id and a place of its own', () => {
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = new Map();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    assert.ok(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= gridWidth, `'${title}' is not within the grid`);
    for (let cell = 0; cell < w * h; cell++) {
      const at = `${x + (cell % w)},${y + Math.floor(cell / w)}`;
      assert.ok(!cells.has(at), `'${title}' lies on '${cells.get(at)}' at ${at}`);
      cells.set(at, title);
    }
  }
});

test('alerts are about the job that is scraped, and say how bad it is and what to do', () => {
  const [{ job_name: job, authorization, static_configs: targets }] = scraping.scrape_configs;
  assert.ok(authorization.credentials_file);
  assert.ok(targets[0].targets.length > 0);
  assert.deepEqual(scraping.rule_files, ['rules.yml']);
  assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length);
  for (const { alert, expr, labels, annotations } of alerts) {
    for (const { matchers } of readPromQl(expr).selectors) {
      assert.equal(matchers.find(({ label }) => label === 'job')?.value, job, alert);
    }
    assert.match(labels.severity, /^(warning|critical)$/, alert);
    assert.ok(annotations.summary && annotations.description, alert);
  }
});

test('docs/monitoring.md lists exactly the metrics that a node has, with their labels', () => {
  const rows = [...read('docs/monitoring.md').matchAll(/^\| `(starling_\w+)` \| (\w+) \|([^|]*)\| [^|]+ \|$/gm)];
  const written = rows.map(([, name, type, labels]) => [name, type, [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort()]);
  const given = [...used.families].map(([name, { type, series }]) =>
    [name, type, [...new Set(series.flatMap(Object.keys))].filter((label) => label !== 'le').sort()]);
  const byName = ([a], [b]) => a.localeCompare(b);
  assert.deepEqual(written.sort(byName), given.sort(byName));
});
