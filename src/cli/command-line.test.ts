import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'tideline-command-line-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command of this checkout without any credentials but those given. */
function tideline(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'src/cli/main.ts'), ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', ...environment },
  });
  return { status, stdout, stderr };
}

test('--version says which version it is', () => {
  const { status, stdout } = tideline(['--version']);
  expect([status, stdout]).toEqual([0, `tideline ${packageJson.version} (Node ${process.versions.node})\n`]);
});

const explained = ['www.video.example', 'FR', 'examples/hybrid'];

test('the commands of steering have a short name each, which does the same', () => {
  const long = tideline(['steering', 'explain', ...explained]);
  expect(long.stdout).toContain('www.video.example for FR: paris\n');
  expect(tideline(['explain', ...explained])).toEqual(long);
});

test('-o yaml and -o json print the same value', () => {
  const json: unknown = JSON.parse(tideline(['explain', ...explained, '-o', 'json']).stdout);
  expect(json).toMatchObject({ host: 'www.video.example', answer: 'paris' });
  expect(parse(tideline(['explain', ...explained, '-o', 'yaml']).stdout)).toEqual(json);
});

test('YAML shows no character of others that a terminal obeys, and keeps their text', () => {
  const hostile = '\u001b[2J\u009b1A\u202e';
  const file = join(folder, 'hostile.yaml');
  writeFileSync(file, JSON.stringify({ apiVersion: 'tideline.dev/v1alpha1', kind: hostile, metadata: { name: 'a' } }));
  const { stdout } = tideline(['check', file, '-o', 'yaml']);
  // oxlint-disable-next-line no-control-regex -- the characters that are looked for
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  const { problems } = parse(stdout) as { problems: readonly { message: string }[] };
  expect(problems.map(({ message }) => message).join()).toContain(
    JSON.parse(tideline(['check', file, '-o', 'json']).stdout).problems[0].message,
  );
});

test.each([
  [['check', 'exmaples/hybird'], 'did you mean "examples/hybrid"?'],
  [['check', 'examples/hybrd'], 'did you mean "examples/hybrid"?'],
  [['explain', 'www.video.example', 'UK', 'examples/hybrid'], 'did you mean "GB" (United Kingdom)?'],
  [['explain', 'www.video.example', 'Germny', 'examples/hybrid'], 'did you mean "DE" (Germany)?'],
  [['steering', 'plam', 'examples/hybrid'], 'Did you mean plan?'],
  [['status', 'examples/hybrid', '-o', 'jsn'], '(Did you mean json?)'],
  [['drain', 'blad', 'paris-blade-1', 'examples/hybrid', '--for', '1h', '--reason', 'x'], '(Did you mean blade?)'],
  [['why', 'country', 'FR', 'examples/hybrid', '--if', 'Clutser/paris=down'], '(Did you mean Cluster/paris=down?)'],
  [['why', 'country', 'FR', 'examples/hybrid', '--host', 'ww.video.example'], 'did you mean "www.video.example"?'],
  [['explain', 'ww.video.example', 'FR', 'examples/hybrid'], 'did you mean "www.video.example"?'],
  [['history', 'examples/hybrid', '--country', 'France'], 'did you mean "FR" (France)?'],
  [['lab', 'fault', 'blade-kiled'], 'did you mean "blade-killed"?'],
])('a misspelt word gets a guess: %j', (args, guess) => {
  const { status, stderr } = tideline(args);
  expect(status).toBe(2);
  expect(stderr).toContain(guess);
});

test('without any credentials the plan says at once where they may come from', () => {
  const { status, stderr } = tideline(['plan', 'examples/hybrid', '--provider', 'route53']);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^no credentials for route53: .*\(MissingCredentials\)\n {4}fix: .*AWS_PROFILE/);
});
