import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { dashboards } from '../../../tools/dashboards/dashboards.ts';
import type { Case } from './case.ts';
import { cases, drained, worker } from './cases.ts';
import { heldByHand } from './steering.ts';

const run = promisify(execFile);
const rulesFile = resolve('deploy/alerts/tideline.rules.yaml');

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-alerts-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Evaluates an expression over the alerts of a case at a minute. Each instance counts once. */
const firing = (alert: string, minute: number, expected: number) => ({
  expr: `count(ALERTS{alertname="${alert}", alertstate="firing"}) or vector(0)`,
  eval_time: `${minute}m`,
  exp_samples: [{ labels: '{}', value: expected }],
});

function testOf({ alert, series, quiet, fires, over }: Case): unknown {
  return {
    name: alert,
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [firing(alert, quiet, 0), firing(alert, fires, 1), firing(alert, over, 0)],
  };
}

async function promtool(tests: readonly unknown[]): Promise<string> {
  const file = join(folder, 'test.yaml');
  await writeFile(file, stringify({ rule_files: [rulesFile], evaluation_interval: '30s', tests }));
  const { stdout, stderr } = await run('promtool', ['test', 'rules', file]).catch((error) => error);
  return `${stdout}${stderr}`;
}

it('every alert has a case', async () => {
  const { groups } = parse(await readFile(rulesFile, 'utf8'));
  const alerts = groups.flatMap(({ rules }: { rules: { alert: string }[] }) => rules.map(({ alert }) => alert));
  expect(cases.map(({ alert }) => alert).toSorted()).toEqual(alerts.toSorted());
});

it('an expectation that is wrong fails', async () => {
  const [first] = cases;
  if (first === undefined) throw new Error('no cases');
  expect(await promtool([testOf({ ...first, quiet: first.fires })])).toContain('FAILED');
});

/** What a block lives through, and what a person forbids, is no alert. */
const intended = {
  name: 'reasons that are meant',
  interval: '1m',
  input_series: ['AffinityPending', 'BlockReleased', 'PoolNotExported', 'BlockOfOtherNode'].map((reason) => ({
    series: `tideline_network_refusals${worker('w1', `,reason="${reason}"`)}`,
    values: '1x99',
  })),
  promql_expr_test: [firing('TidelineRoutesRefused', 60, 0)],
};

it('every alert fires by its fault, not before, and ends with it', async () => {
  const output = await promtool([...cases.map(testOf), testOf(drained), testOf(heldByHand), intended]);
  expect(output).not.toContain('FAILED');
  expect(output).toContain('SUCCESS');
});

it('every query of the dashboards is one that Prometheus takes', async () => {
  const queries = dashboards.flatMap(({ troubles, rows }) =>
    [...troubles, ...rows.flatMap(({ panels }) => panels)].flatMap((panel) => Object.values(panel.queries)),
  );
  expect(queries.length).toBeGreaterThan(20);
  const rules = queries.map((query, index) => ({
    record: `query:${index}`,
    expr: query.replaceAll('$cluster', '.*').replaceAll('$__rate_interval', '5m'),
  }));
  const file = join(folder, 'queries.yaml');
  await writeFile(file, stringify({ groups: [{ name: 'dashboards', rules }] }));
  const { stdout } = await run('promtool', ['check', 'rules', file]);
  expect(stdout).toContain(`${queries.length} rules found`);
});
