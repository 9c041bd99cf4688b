import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InputError } from '../model/problem.ts';
import { loadPlatform, loadPlatformOrThrow } from './load.ts';

const hybrid = resolve(import.meta.dirname, '../../examples/hybrid');
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-platform-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function site(name: string, third: number): string {
  return `apiVersion: tideline.dev/v1alpha1
kind: Site
metadata: { name: ${name} }
spec:
  type: cloud
  location: { country: FR, latitude: 0, longitude: 0 }
  prefixes: { vips: [203.0.${third}.0/24] }
`;
}
const cluster = (manifests: string): string => `---
apiVersion: tideline.dev/v1alpha1
kind: Cluster
metadata: { name: one }
spec: { sites: [a], source: { manifests: ${manifests} }, entry: { anycast: [203.0.1.1] } }
`;
async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
async function reasonsOf(...paths: readonly string[]): Promise<readonly string[]> {
  const result = await loadPlatform(paths.map((path) => join(folder, path)));
  return 'problems' in result ? result.problems.map((problem) => problem.reason) : [];
}

test('the example of the documentation is valid, and parsed', async () => {
  const platform = await loadPlatformOrThrow([hybrid]);
  expect([...platform.sites.keys()]).toEqual(['paris', 'newyork', 'cloud-europe', 'cloud-america', 'cloud-asia']);
  expect(platform.edgePools.get('paris-edge')?.spec.blades[0]?.address).toEqual({ family: 4, text: '10.1.0.21' });
  expect(platform.policies.get('video')?.spec.rules[0]?.clusters).toEqual([{ name: 'paris', weight: 100 }]);
  expect(platform.folderOf('paris')).toBe(hybrid);
});

test('what is in a manifest folder is not read, wherever the cluster is declared', async () => {
  await write({
    'z/cluster.yaml': `${site('a', 1)}${cluster('../kubernetes')}`,
    'kubernetes/deep/half-written.yaml': 'kind: [',
  });
  expect(await reasonsOf('')).toEqual([]);
  expect(await reasonsOf('kubernetes/deep/half-written.yaml')).toEqual(['NotYaml']);
});

test('a file named twice, or linked, is read once; links that go round in circles end', async () => {
  await write({ 'a.yaml': site('a', 1), 'more/b.yaml': site('b', 2) });
  await symlink(join(folder, 'a.yaml'), join(folder, 'c.yaml'));
  await symlink(folder, join(folder, 'more', 'up'));
  expect(await reasonsOf('', 'a.yaml', 'more')).toEqual([]);
});

test('a link to nowhere and a link to itself are problems of their own', async () => {
  await write({ 'a.yaml': site('a', 1) });
  await symlink('nowhere', join(folder, 'b.yaml'));
  await symlink('c.yaml', join(folder, 'c.yaml'));
  expect(await reasonsOf('')).toEqual(['FileMissing', 'FileUnreadable']);
});

test('only files are read, and others are named: a pipe or a device might never end', async () => {
  await write({ 'a.yaml': site('a', 1) });
  await symlink('/dev/null', join(folder, 'device'));
  expect(await reasonsOf('')).toEqual([]);
  await symlink('/dev/null', join(folder, 'device.yaml'));
  expect(await reasonsOf('')).toEqual(['FileUnreadable']);
});

test('problems are sorted by file and line, those of every path together', async () => {
  await write({ 'b.yaml': site('b', 1).replace('FR', 'XX'), 'a.yaml': `${site('a', 1)}---\n${site('A', 3)}` });
  const result = await loadPlatform([join(folder, 'b.yaml'), join(folder, 'none'), join(folder, 'a.yaml')]);
  const places =
    'problems' in result ? result.problems.map(({ file, line }) => `${file?.slice(folder.length + 1)}:${line}`) : [];
  expect(places).toEqual(['a.yaml:11', 'b.yaml:6', 'none:undefined']);
});

test('for commands that need a platform, problems are an InputError with every one of them', async () => {
  await write({ 'a.yaml': site('a', 1).replace('FR', 'XX') });
  const error = await loadPlatformOrThrow([folder]).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  expect(String(error)).toContain('a.yaml:6: Site/a spec.location.country: there is no country XX (UnknownCountry)');
});
