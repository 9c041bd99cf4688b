import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
function tideline(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/cli/main.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('a valid platform is counted, exit code 0', () => {
  expect(tideline('check', 'examples/hybrid')).toEqual({
    status: 0,
    stdout: 'ok: 5 sites, 3 clusters, 2 edge pools, 1 traffic policy, 0 drains\n',
    stderr: '',
  });
});

test('a bad platform is explained on standard error, exit code 2, no stack trace', () => {
  const { status, stdout, stderr } = tideline('check', 'examples/hybrid/clusters.yaml', 'nowhere.yaml');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(
    'examples/hybrid/clusters.yaml:6: Cluster/paris spec.sites[0]: there is no Site "paris" (UnknownName)\n',
  );
  expect(stderr).toContain('nowhere.yaml: no such file or folder (FileMissing)\n    fix: check the path\n');
  expect(stderr).toMatch(/\n6 problems in 2 files\n$/);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test('--output json prints the same for programs', () => {
  const good = tideline('check', '--output', 'json', 'examples/hybrid');
  expect(good.status).toBe(0);
  expect(JSON.parse(good.stdout)).toEqual({
    ok: true,
    counts: { sites: 5, clusters: 3, edgePools: 2, policies: 1, drains: 0 },
    problems: [],
    warnings: [],
  });
  const bad = tideline('check', '--output', 'json', 'nowhere.yaml');
  expect(bad.status).toBe(2);
  expect(JSON.parse(bad.stdout)).toEqual({
    ok: false,
    problems: [
      { reason: 'FileMissing', file: 'nowhere.yaml', message: 'no such file or folder', fix: 'check the path' },
    ],
    warnings: [],
  });
});

test.each([[['check']], [['check', '--output', 'xml', 'examples/hybrid']], [['check', '--nonsense', 'x']]])(
  'wrong arguments are a message, exit code 2: %j',
  (args) => {
    const { status, stderr } = tideline(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: /);
    expect(stderr).not.toMatch(/\n\s+at /);
  },
);
