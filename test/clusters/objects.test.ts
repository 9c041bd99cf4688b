import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Binaries, findBinaries } from '../../lab/control-plane/binaries.ts';
import { shippedObjects } from '../../src/cli/fleet/shipped-objects.ts';
import { connect } from '../../src/kube/api/connect.ts';
import { compileFleet } from '../../src/planes/fleet/compile/compile.ts';
import type { Manifest } from '../../src/planes/fleet/compile/objects/manifest.ts';
import { runObjects } from '../../src/planes/fleet/run/objects.ts';
import { withControlPlane } from '../support/clusters/control-plane.ts';
import { fleetPlatform } from '../support/fleet.ts';

/** A real control plane with authorization Node,RBAC that holds nothing but what Kubernetes brings and the objects of a Fleet. */
const plane = withControlPlane();
const compiled = async () => compileFleet(fleetPlatform({ gpus: true }), {}, await shippedObjects('deploy'));
const objectsOf = async (): Promise<readonly Manifest[]> => (await compiled()).objects.get('site0') ?? [];
let binaries: Binaries;

async function run(
  objects: readonly Manifest[],
): Promise<{ readonly faults: readonly string[]; readonly said: readonly string[] }> {
  const client = await connect({ kubeconfig: plane().kubeconfig });
  const said: string[] = [];
  try {
    const { signal } = new AbortController();
    const faults = await runObjects({ client, objects, signal, say: (line) => said.push(line) });
    return { faults: faults.map(({ message }) => message), said };
  } finally {
    await client.close();
  }
}

beforeAll(async () => {
  binaries = await findBinaries(process.env);
  expect(await run(await objectsOf())).toEqual({ faults: [], said: [] });
}, 120_000);

describe('what is written', () => {
  it('is all there, and a second time changes nothing', async () => {
    const versions = async () => {
      const kinds =
        'clusterroles,clusterrolebindings,ippools,ipamconfigs,clusterinformations,daemonsets,runtimeclasses';
      const text = await plane().kubectl([
        'get',
        kinds,
        '-A',
        '-l',
        'app.kubernetes.io/managed-by=tideline-fleet',
        '-o',
        'json',
      ]);
      const { items } = JSON.parse(text) as {
        readonly items: readonly {
          kind: string;
          metadata: { name: string; generation?: number; resourceVersion: string };
        }[];
      };
      return items.map(
        ({ kind, metadata }) =>
          `${kind} ${metadata.name} ${kind === 'DaemonSet' ? String(metadata.generation) : metadata.resourceVersion}`,
      );
    };
    const before = await versions();
    expect(before.length).toBeGreaterThan(15);
    expect(await run(await objectsOf())).toEqual({ faults: [], said: [] });
    expect(await versions()).toEqual(before);
  });

  it('leaves what somebody else has set, and tells who and which field', async () => {
    const pool = 'ippool/pods-10-101-0-0-16';
    const patch = JSON.stringify({ spec: { natOutgoing: true } });
    await plane().kubectl(['patch', pool, '--type=merge', '--field-manager=a-person', '-p', patch]);
    const { faults } = await run(await objectsOf());
    expect(faults).toEqual([
      expect.stringMatching(/^IPPool pods-10-101-0-0-16: somebody else .*"a-person".*\.spec\.natOutgoing/s),
    ]);
    expect(await plane().kubectl(['get', pool, '-o', 'jsonpath={.spec.natOutgoing}'])).toBe('true');
    await plane().kubectl([
      'patch',
      pool,
      '--type=merge',
      '--field-manager=a-person',
      '-p',
      '{"spec":{"natOutgoing":false}}',
    ]);
    expect(await run(await objectsOf())).toEqual({ faults: [], said: [] });
  });

  it('is removed when it is no longer wanted, if it is ours and holds nothing', async () => {
    await plane().apply({
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: 'of-a-person' },
      handler: 'runc',
    });
    const fewer = (await objectsOf()).filter(({ kind }) => !['RuntimeClass', 'DaemonSet', 'IPPool'].includes(kind));
    const { faults, said } = await run([
      ...fewer,
      ...(await objectsOf())
        .filter(({ kind }) => kind === 'IPPool')
        .map((one) => ({ ...one, metadata: { ...one.metadata, name: 'another' } })),
    ]);
    expect(faults).toEqual([]);
    expect(said).toEqual([
      'removed DaemonSet kube-system/nvidia-device-plugin',
      expect.stringMatching(/^IPPool pods-10-101-0-0-16 is no longer wanted and stays/),
      'removed RuntimeClass nvidia',
    ]);
    expect(await plane().kubectl(['get', 'runtimeclasses', '-o', 'name'])).toBe(
      'runtimeclass.node.k8s.io/of-a-person\n',
    );
    await plane().kubectl(['delete', 'ippool', 'another']);
    expect((await run(await objectsOf())).faults).toEqual([]);
  });

  it('has the CRDs of the release of Calico that the tests use', async () => {
    const published = await readdir(binaries.calicoCrds);
    const ours = (await readdir('deploy/calico', { recursive: true })).filter((file) => file.endsWith('.yaml'));
    for (const name of ours) {
      const theirs = published.find((file) => file.endsWith(`_${basename(name)}`)) ?? '';
      const text = await readFile(join(binaries.calicoCrds, theirs), 'utf8');
      expect(parse(await readFile(join('deploy/calico', name), 'utf8'))).toEqual(parse(text));
    }
    expect(await readFile('deploy/calico/README.md', 'utf8')).toContain(`Calico ${binaries.versions.calico}`);
  });
});
