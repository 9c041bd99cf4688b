import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'tideline-freeze-command-'));
const history = join(folder, 'history.jsonl');
const spec = join(folder, 'platform');
// A platform without blades and workers: nobody is asked what a thaw does.
cpSync(join(root, 'examples/hybrid/sites.yaml'), join(spec, 'sites.yaml'));
afterAll(() => rmSync(folder, { recursive: true }));

function tideline(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'src/cli/main.ts'), ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', HOME: folder, TIDELINE_HISTORY: history },
  });
  return { status, stdout, stderr };
}

const decisions = () =>
  readFileSync(history, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly what: string; readonly by: string; readonly why: string });

test('a freeze is written with its end, told and remembered; another person shortens it by force alone; a thaw removes it', () => {
  const fromMs = Date.now();
  const first = tideline('freeze', spec, '--reason', 'routes flap', '--by', 'anna', '--for', '2h', '-o', 'json');
  const value = JSON.parse(first.stdout);
  expect(value).toMatchObject({
    frozen: [{ reason: 'routes flap', by: 'anna' }],
    said: [expect.stringMatching(/^FROZEN by anna since \S+, until \S+: routes flap$/)],
    files: [{ file: join(spec, 'freeze-platform.yaml'), action: 'written' }],
  });
  const untilMs = Date.parse(value.frozen[0].until) - 7_200_000;
  expect(untilMs).toBeGreaterThanOrEqual(fromMs - 1000);
  expect(untilMs).toBeLessThanOrEqual(Date.now());

  const shorter = ['freeze', spec, '--reason', 'calm again', '--by', 'bob', '--for', '1h'];
  expect(tideline(...shorter)).toMatchObject({ status: 2, stderr: expect.stringContaining('FreezeOfAnother') });
  expect(tideline(...shorter, '--force')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^FROZEN by bob since .*\ntakes the place of: routes flap by anna since \S+, until /),
  });

  const { status, stdout } = tideline('thaw', spec);
  expect(status).toBe(0);
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(/^thawed; it was FROZEN by bob since \S+, until \S+: calm again$/),
    `removed: ${join(spec, 'freeze-platform.yaml')}`,
    '',
  ]);
  expect(tideline('thaw', spec)).toMatchObject({
    status: 0,
    stdout: `no Freeze is in force in ${spec}: nothing was written\n`,
  });
  expect(JSON.parse(tideline('thaw', spec, '-o', 'json').stdout)).toMatchObject({ frozen: [], files: [] });
  expect(decisions()).toMatchObject([
    { what: 'FreezeAsked', by: 'anna', why: 'routes flap' },
    { what: 'FreezeAsked', by: 'bob', why: 'calm again' },
    { what: 'ThawAsked', why: expect.stringContaining('it was FROZEN by bob') },
  ]);
});

test('a freeze is written also where the folder has an error elsewhere, which is told; not where no spec is', () => {
  const broken = join(folder, 'broken');
  cpSync(spec, broken, { recursive: true });
  const drain = join(broken, 'drain-paris.yaml');
  writeFileSync(
    drain,
    `apiVersion: tideline.dev/v1alpha1
kind: Drain
metadata: { name: paris }
spec:
  target: { kind: Site, name: paris }
  reason: works
  expiers: "2999-01-01T00:00:00Z"
`,
  );
  const freeze = (path: string, ...more: readonly string[]) =>
    tideline('freeze', path, '--reason', 'routes flap', '--by', 'anna', ...more);
  const { status, stdout, stderr } = freeze(broken);
  expect(stdout).toMatch(/^FROZEN by anna since \S+: routes flap\nwritten: .*freeze-platform\.yaml\n$/);
  expect(stderr).toContain(`${drain}:7`);
  expect(stderr).toMatch(/UnknownField/);
  expect(stderr).toMatch(/keeps its last good one, and reads the Freeze when .*drain-paris\.yaml:\d+ /);
  expect(status).toBe(0);
  expect(JSON.parse(freeze(broken, '-o', 'json').stdout)).toMatchObject({
    frozen: [{ reason: 'routes flap' }],
    warnings: expect.arrayContaining([expect.objectContaining({ reason: 'UnknownField', file: drain })]),
  });

  // What is broken elsewhere keeps nobody from ending the Freeze either.
  const thawed = tideline('thaw', broken);
  expect(thawed.stdout).toMatch(
    /^thawed; it was FROZEN by anna since \S+: routes flap\nremoved: .*freeze-platform\.yaml\n$/,
  );
  expect(thawed.stderr).toContain(`${drain}:7`);
  expect(thawed.stderr).toMatch(/keeps its last good one, frozen as it is, .*drain-paris\.yaml:\d+ /);
  expect(thawed.status).toBe(0);
  expect(tideline('thaw', broken)).toMatchObject({ status: 2, stderr: expect.stringContaining('UnknownField') });
  // Nor does a Freeze that is broken itself.
  writeFileSync(
    join(broken, 'freeze.yaml'),
    'apiVersion: tideline.dev/v1alpha1\nkind: Freeze\nmetadata: { name: x }\nspec: {}\n',
  );
  expect(tideline('thaw', broken)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/removed: .*freeze\.yaml/),
  });

  const empty = join(folder, 'empty');
  mkdirSync(empty);
  expect(freeze(empty)).toMatchObject({ status: 2, stderr: expect.stringContaining('FolderEmpty') });
  writeFileSync(join(empty, 'pod.yaml'), 'apiVersion: v1\nkind: Pod\nmetadata: { name: x }\n');
  expect(freeze(empty)).toMatchObject({ status: 2, stderr: expect.stringContaining('UnknownApiVersion') });
  expect(existsSync(join(empty, 'freeze-platform.yaml'))).toBe(false);
});
