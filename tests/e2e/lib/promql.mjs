// What a PromQL expression asks of the metrics, and what /metrics of a node gives.
import { parser } from '@prometheus-io/lezer-promql';

const matcherNodes = ['UnquotedLabelMatcher', 'QuotedLabelMatcher'];
const unquoted = (text) => (/^["'`]/.test(text) ? text.slice(1, -1) : text);
const closest = (node, name) => {
  for (let at = node.parent; at; at = at.parent) if (at.name === name) return at;
  return null;
};

/** Grafana's own variables are put in at query time; a range stands for each of them. */
const withoutGrafana = (expression) => expression.replace(/\$__(rate_interval|interval|range)\b/g, '5m');

/**
 * {errors, selectors, keeps}: where it cannot be parsed; each selector as {metric, matchers: [{label, op, value}], grouped},
 * `grouped` being the labels that aggregations around it name; and the labels that the result can have, null where those
 * of the metric stay.
 */
export function readPromQl(given) {
  const text = withoutGrafana(given);
  const tree = parser.parse(text);
  const slice = (node) => text.slice(node.from, node.to);
  const labelsIn = (node) => node.getChildren('GroupingLabels')
    .flatMap((labels) => [...labels.getChildren('LabelName'), ...labels.getChildren('QuotedLabelName')]).map((one) => unquoted(slice(one)));
  const read = { errors: [], selectors: [], keeps: null };
  tree.iterate({
    enter({ type, node }) {
      if (type.isError) {
        read.errors.push(`cannot be parsed from '${text.slice(node.from, node.from + 20)}'`);
      } else if (type.name === 'AggregateExpr' && !closest(node, 'AggregateExpr')) {
        const modifier = node.getChild('AggregateModifier');
        read.keeps = [...(read.keeps ?? []), ...(modifier ? labelsIn(modifier) : [])];
      } else if (type.name === 'VectorSelector') {
        const selector = { metric: slice(node.getChild('Identifier') ?? node), matchers: [], grouped: [] };
        for (const matcher of matcherNodes.flatMap((name) => node.getChild('LabelMatchers')?.getChildren(name) ?? [])) {
          const label = matcher.getChild('LabelName') ?? matcher.getChild('QuotedLabelName');
          selector.matchers.push({
            label: unquoted(slice(label)), op: slice(matcher.getChild('MatchOp')), value: unquoted(slice(matcher.getChild('StringLiteral'))),
          });
        }
        for (let at = node.parent; at; at = at.parent) {
          const clause = at.getChild('AggregateModifier') ?? at.getChild('MatchingModifierClause');
          if (clause) selector.grouped.push(...labelsIn(clause));
        }
        read.selectors.push(selector);
      }
    },
  });
  return read;
}

/** `label_values(selector, label)`, the query of a Grafana variable: {expression, label}. */
export function readLabelValues(query) {
  const [, expression, label] = /^label_values\((.+),\s*(\w+)\)$/.exec(query) ?? [];
  return { expression, label };
}

const suffixesOf = { histogram: ['_bucket', '_sum', '_count'], counter: [''], gauge: [''] };

/**
 * Families of /metrics by name: {type, help, series: [labels], total}. `samples` are the names that a query may use:
 * those of the families, and for a histogram its three with the suffixes.
 */
export function readMetrics(text) {
  const families = new Map();
  const samples = new Map();
  for (const line of text.split('\n').filter(Boolean)) {
    const [, word, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (word === 'HELP') families.set(name, { help: rest, series: [], total: 0 });
    if (word === 'TYPE') {
      families.get(name).type = rest;
      for (const suffix of suffixesOf[rest]) samples.set(name + suffix, { family: families.get(name), series: [] });
    }
    if (word) continue;
    const [, sample, inner = '', value] = /^([\w:]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    const labels = Object.fromEntries([...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, is]) => [label, is]));
    const { family, series } = samples.get(sample);
    series.push(labels);
    family.series.push(labels);
    if (!sample.endsWith('_bucket') && !sample.endsWith('_sum')) family.total += Number(value);
  }
  return { families, samples };
}

const matches = (labels, { label, op, value }) => {
  const is = labels[label] ?? '';
  const equal = op.includes('~') ? new RegExp(`^(?:${value})$`).test(is) : is === value;
  return op.startsWith('!') ? !equal : equal;
};

/**
 * What is wrong with the selectors of an expression, as sentences: a metric that a node does not give, a label that the
 * metric does not have, a value that none of its series has. `added` are the labels that Prometheus puts on everything,
 * `others` the metrics that it makes itself.
 */
export function faultsOf({ errors, selectors }, { samples }, { added, others }) {
  const faults = [...errors];
  for (const { metric, matchers, grouped } of selectors) {
    const known = samples.get(metric);
    if (!known && !others.includes(metric)) {
      faults.push(`no metric ${metric}`);
      continue;
    }
    const has = new Set([...added, ...(known?.series ?? []).flatMap(Object.keys)]);
    const own = matchers.filter(({ label }) => !added.includes(label));
    for (const label of [...own.map(({ label }) => label), ...grouped].filter((label) => !has.has(label))) {
      faults.push(`${metric} has no label ${label}`);
    }
    const fixed = own.filter(({ label, value }) => has.has(label) && !value.includes('$'));
    if (known && !known.series.some((labels) => fixed.every((matcher) => matches(labels, matcher)))) {
      faults.push(`no series of ${metric} has ${fixed.map(({ label, op, value }) => label + op + value).join(', ')}`);
    }
  }
  return faults;
}
