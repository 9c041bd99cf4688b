import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { reasons as bgpReasons } from '../../src/bgp/reasons.ts';
import { kubeReasons } from '../../src/kube/reasons.ts';
import { parityReasons } from '../../src/observe/reasons.ts';
import { edgeReasons } from '../../src/planes/edge/reasons.ts';
import { networkReasons } from '../../src/planes/network/reasons.ts';
import { steeringReasons } from '../../src/planes/steering/reasons.ts';
import { reasons as endpointReasons } from '../../src/runtime/reasons.ts';
import { askReasons, tlsReasons } from '../../src/runtime/tls/reasons.ts';
import { dashboards } from '../../tools/dashboards/dashboards.ts';

/** Alerts, runbooks, metrics and reasons name each other; none may name what does not exist. */

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const file = 'deploy/alerts/tideline.rules.yaml';
const document = parse(readFileSync(file, 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};
const rules = document.groups.flatMap(({ rules: those }) => those);
const runbooks = globSync('docs/operations/runbooks/*.md');
/** What Prometheus itself and prom-client's default metrics give. */
const common = ['up', 'nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes', 'process_cpu_seconds_total'];
const reference = readFileSync('docs/reference/metrics.md', 'utf8');

/** The metrics of a query that no agent exports. */
function unknownMetrics(query: string): readonly string[] {
  const metrics = query.match(/\b(?:tideline|nodejs|process)_\w+\b|\bup\b/g) ?? [];
  expect(metrics).not.toEqual([]);
  const isExported = (metric: string): boolean =>
    reference.includes(`| \`${metric}\` |`) ||
    reference.includes(`| \`${metric.replace(/_bucket$/, '')}\` | histogram |`);
  return metrics.filter((metric) => !common.includes(metric) && !isExported(metric));
}

it('the reference lists every metric that is named in the source', () => {
  const files = globSync('src/**/*.ts', { exclude: (path) => path.endsWith('.test.ts') });
  const named = files.flatMap((path) => readFileSync(path, 'utf8').match(/(?<=name: ')tideline_\w+(?=',)/g) ?? []);
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((name) => !reference.includes(`| \`${name}\` |`))).toEqual([]);
});

it('finds alerts and runbooks', () => {
  expect(rules.length).toBeGreaterThan(20);
  expect(runbooks.map((path) => basename(path, '.md')).toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
});

describe.each(rules)('$alert', ({ alert, expr, labels, annotations }) => {
  it('has a severity, a summary and its own runbook', () => {
    expect(['page', 'ticket']).toContain(labels.severity);
    expect(annotations.summary.length).toBeGreaterThan(20);
    expect(annotations.runbook).toBe(`docs/operations/runbooks/${alert}.md`);
  });

  it('asks only for metrics that are exported', () => {
    expect(unknownMetrics(expr)).toEqual([]);
  });

  it('names only reasons of the catalogues', () => {
    const named = [...expr.matchAll(/reason[!=~]+"([^"]+)"/g)].flatMap(([, text = '']) => text.split('|'));
    const known = Object.keys({ ...bgpReasons, ...kubeReasons, ...edgeReasons, ...networkReasons, ...steeringReasons });
    expect(named.filter((pattern) => !known.some((reason) => new RegExp(`^${pattern}$`).test(reason)))).toEqual([]);
  });

  it('has a runbook that begins with what to run and says what is lost meanwhile', () => {
    const text = readFileSync(annotations.runbook, 'utf8');
    expect(text.startsWith(`# ${alert}\n`)).toBe(true);
    expect(text).toMatch(/\nRun first:\n\n```\n\S.*\n```\n\nMeanwhile: \S/);
    expect(text).toMatch(/\nThe alert ends when \S/);
  });
});

it('runbooks name only reasons of the catalogues', () => {
  const ofCertificates = { ...endpointReasons, ...tlsReasons, ...askReasons };
  const ofPlanes = { ...edgeReasons, ...networkReasons, ...steeringReasons, ...parityReasons };
  const known = Object.keys({ ...bgpReasons, ...kubeReasons, ...ofPlanes, ...ofCertificates });
  const titles = rules.map(({ alert }) => alert);
  // Words of systemd and of Kubernetes.
  const objects = ['MemoryHigh', 'LoadCredential', 'FailedGetExternalMetric'];
  const named = runbooks.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`/g)].map(([, name = '']) => name),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => ![...known, ...titles, ...objects].includes(name))).toEqual([]);
});

describe.each(dashboards)('the dashboard $title', ({ troubles, rows }) => {
  const panels = [...troubles, ...rows.flatMap(({ panels: those }) => those)];

  it('asks only for metrics that are exported, and says what to do with what it shows', () => {
    expect(panels.length).toBeGreaterThan(5);
    expect(panels.flatMap(({ queries }) => Object.values(queries)).flatMap(unknownMetrics)).toEqual([]);
    expect(panels.filter(({ description }) => description.length < 5)).toEqual([]);
  });
});
