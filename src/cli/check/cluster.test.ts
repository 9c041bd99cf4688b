import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tideline-check-cluster-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function check(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/cli/main.ts', 'check', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('bad input is a message, exit code 2', () => {
  it.each([
    [['--as', 'edge', 'examples/hybrid'], '--as goes with --cluster'],
    [['--kubeconfig', 'x', 'examples/hybrid'], '--kubeconfig goes with --cluster'],
    [['--cluster', 'paris'], '--cluster needs the platform spec that declares it, or --kubeconfig FILE'],
    [
      ['--cluster', 'nix', 'examples/hybrid'],
      '--cluster: there is no Cluster "nix" in the platform spec (UnknownName)\n    expected: cloud, newyork or paris\n',
    ],
    [['--cluster', 'cloud', 'examples/hybrid'], 'Cluster/cloud is not read at all'],
    [['--cluster', '--kubeconfig', '/nowhere'], '/nowhere: cannot be read (ENOENT)'],
    [['--cluster', 'paris', 'nowhere.yaml'], 'no such file or folder (FileMissing)'],
    [['--cluster', 'x', '--as', 'pilot', '--kubeconfig', 'x'], 'error: option'],
  ])('%j', (args, message) => {
    const { status, stdout, stderr } = check(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('a cluster that is a manifest folder', () => {
  it('is read as the agents read it', () => {
    expect(check('--cluster', 'paris', 'examples/hybrid')).toEqual({
      status: 0,
      stdout: `cluster paris: examples/hybrid/clusters/paris
ok       folder  examples/hybrid/clusters/paris: 7 objects
ok       kinds   Service, EndpointSlice, Ingress, Node, IPPool, BlockAffinity, IPAMBlock
ok       nodes   1 Node, each with an address in a site
3 ok
`,
      stderr: '',
    });
  });

  it('that lacks what an agent reads is named, with exit code 1', () => {
    cpSync(join(root, 'examples/hybrid'), folder, { recursive: true });
    const manifests = join(folder, 'clusters/paris');
    rmSync(manifests, { recursive: true });
    const missing = check('--cluster', 'paris', '--output', 'json', folder);
    expect(missing.status).toBe(1);
    expect(JSON.parse(missing.stdout)).toMatchObject({
      ok: false,
      findings: [
        { check: 'folder', state: 'failed', reason: 'FolderUnreadable', found: `${manifests} does not exist` },
      ],
    });
    mkdirSync(manifests);
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'w1' } };
    writeFileSync(join(manifests, 'node.json'), JSON.stringify(node));
    const { stdout } = check('--cluster', 'paris', '--as', 'network', '--pods-from', 'podCIDRs', folder);
    expect(stdout).toContain('no InternalIP of w1 (none) is in a site (NodeOutsideSites)');
    expect(stdout).toContain('w1 has no podCIDR (NodeWithoutPodCidr)');
    writeFileSync(join(manifests, 'node.json'), '{ not json');
    expect(check('--cluster', 'paris', folder).stdout).toMatch(
      /failed {3}folder {2}.*node\.json.*\(FolderUnreadable\)/,
    );
  });
});
