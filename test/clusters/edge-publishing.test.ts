import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { steeredPlatform } from '../../src/cli/steering/spec.ts';
import type { TrustTopic } from '../../src/model/platform/trust.ts';
import { vip, World } from '../integration/edge/world.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { ingressAddresses } from '../support/clusters/ingress-status.ts';
import { videoIngress } from '../support/clusters/objects.ts';

const run = promisify(execFile);

// The tests run two blades with real nginx, ExaBGP and BIRD, which read and write a real API server with the rights of deploy/rbac.
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'video' },
  spec: { ports: [{ port: 80 }] },
};

const deployed = (path: string): string => join(import.meta.dirname, `../../deploy/${path}.yaml`);
const crdOf = (plural: string): string => deployed(`crds/${plural}`);

let world: World;
let plane: ControlPlane;
let newyork: ControlPlane | undefined;

const specKinds = [
  'sites',
  'clusters',
  'edgepools',
  'trafficpolicies',
  'drains',
  'freezes',
  'trafficoverlays',
  'trafficverdicts',
];

interface Written {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

const addressOf = async (name: string): Promise<string> => (await ingressAddresses(plane, name)).join(' ');

async function leader(): Promise<string | undefined> {
  const statuses = await Promise.all(world.blades.map((blade) => blade.status().catch(() => undefined)));
  return statuses.find((status) => status?.publishing?.leading === true)?.blade;
}

async function objectsIn(file: string): Promise<readonly object[]> {
  return parseAllDocuments(await readFile(file, 'utf8')).map((document) => document.toJS() as object);
}

const drainOf = (name: string, more: object = {}) => ({
  apiVersion: 'tideline.dev/v1alpha1',
  kind: 'Drain',
  metadata: { name: 'maintenance' },
  spec: { target: { kind: 'Blade', name }, reason: 'disk', expires: '2099-01-01T00:00:00Z', ...more },
});

/** A copy of the platform spec for a person with a kubeconfig of these groups. */
async function specOf(...groups: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(world.folder, 'operator-'));
  const kubeconfig = await plane.kubeconfigFor({ user: 'operator', groups });
  const spec = await readFile(join(world.platform, 'platform.yaml'), 'utf8');
  await writeFile(join(folder, 'platform.yaml'), spec.replace('manifests: ./paris', `kubeconfig: ${kubeconfig}`));
  return folder;
}

/** What a command of a person says, and its exit code. */
async function tideline(...words: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const env = { ...process.env, XDG_STATE_HOME: world.folder };
  const command = [join(import.meta.dirname, '../../src/cli/main.ts'), ...words];
  const { promise, resolve } = Promise.withResolvers<{ readonly code: number; readonly text: string }>();
  execFile(process.execPath, command, { env }, (error, stdout, stderr) =>
    resolve({ code: typeof error?.code === 'number' ? error.code : 0, text: `${stdout}${stderr}` }),
  );
  return promise;
}

beforeAll(async () => {
  world = await World.create({ 'web.yaml': [service] });
  plane = await startTestControlPlane({ address: '10.9.0.2' });
  await plane.kubectl(['create', 'namespace', 'video']);
  await plane.kubectl(['create', 'namespace', 'tideline-system']);
  for (const path of ['rbac/edge', 'rbac/drain', 'components/platform-spec/rights'])
    await plane.apply(...(await objectsIn(deployed(path))));
  await plane.apply(service);
  for (const plural of ['drains', 'edgepools']) await plane.kubectl(['apply', '-f', crdOf(plural)]);
  for (const blade of world.blades) {
    await blade.agent.stop();
    const who = { user: `tideline:edge:${blade.name}`, groups: ['tideline:edge'] };
    blade.startAgent('--kubeconfig', await plane.kubeconfigFor(who));
  }
});

afterAll(async () => {
  await world?.destroy();
  await plane?.stop();
  await newyork?.stop();
});

it('shows the VIP on an Ingress that is served, and an Event on one that is not', async () => {
  await plane.apply(videoIngress('web', 'www.video.example'));
  await eventually(async () => (await addressOf('web')) === vip, { timeoutMs: 120_000 });
  await plane.apply(videoIngress('young', 'www.video.example'));
  await eventually(async () => {
    const text = await plane.kubectl(['describe', 'ingress', '-n', 'video', 'young']);
    return /Warning\s+PathConflict\s.*belongs to Ingress video\/web/.test(text);
  });
  expect(await addressOf('young')).toBe('');
  const writers = await plane.audit(
    ({ resource, subresource }) => resource === 'ingresses' && subresource === 'status',
  );
  expect([...new Set(writers.map(({ user }) => user))]).toEqual([`tideline:edge:${await leader()}`]);
});

it('goes on when the agent that writes ends, and says in /status who does', async () => {
  const name = await eventually(leader);
  const [first, second] = world.blades[0].name === name ? world.blades : [world.blades[1], world.blades[0]];
  await first.agent.stop();
  await plane.apply(videoIngress('later', 'later.video.example'));
  await eventually(async () => (await addressOf('later')) === vip);
  expect((await second.status()).publishing).toMatchObject({ leading: true, addresses: [vip], poolObject: 'absent' });
  const asked = await plane.audit(({ user }) => user.startsWith('tideline:'));
  expect(new Set(asked.map(({ user }) => user)).size).toBe(world.blades.length);
  expect(asked.filter(({ decision }) => decision === 'forbid')).toEqual([]);
});

it('obeys a Drain that stands in the API, and the API alone ends it', async () => {
  const [blade, other] = world.blades;
  // One of the two was stopped, whichever wrote.
  for (const one of world.blades) {
    await one.agent.stop();
    const who = { user: `tideline:edge:${one.name}`, groups: ['tideline:edge'] };
    one.startAgent('--kubeconfig', await plane.kubeconfigFor(who));
    await eventually(async () => (await one.status()).vips[0]?.announced === true);
  }
  await plane.apply(drainOf(blade.name));
  await eventually(async () => (await world.routed()).join() === other.address);
  expect(await blade.status()).toMatchObject({ draining: true, drain: { name: 'maintenance' } });
  expect((await tideline('drains', await specOf('tideline:drain'))).text).toMatch(
    /^blade paris-blade-1 +(draining|empty) /m,
  );
  const said = (): Promise<string> =>
    plane.kubectl([
      'get',
      'drain',
      'maintenance',
      '-o',
      'jsonpath={range .status.conditions[*]}{.type}={.status} {.reason} {.observedGeneration};{end}',
    ]);
  await eventually(async () => (await said()).startsWith('Accepted=True InForce 1;InForce=True InForce 1;'));
  // An object of a newer release: its definition has a field that these agents do not know.
  const field = {
    op: 'add',
    path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/newer',
    value: { type: 'string' },
  };
  await plane.kubectl(['patch', 'crd', 'drains.tideline.dev', '--type=json', '-p', JSON.stringify([field])]);
  // Until the API server knows the field, it drops it, and what is left is a Drain like any other.
  await eventually(async () => {
    await plane.apply(drainOf(blade.name, { newer: 'yes' }));
    return (await plane.kubectl(['get', 'drain', 'maintenance', '-o', 'jsonpath={.spec.newer}'])) === 'yes';
  });
  // A watch that began before goes on without the field until the API server ends it.
  for (const one of world.blades)
    await eventually(async () => (await one.status()).platform.notInForce?.[0]?.reason === 'ObjectUnreadable');
  await plane.apply(drainOf(other.name, { newer: 'yes' }));
  const generation = await plane.kubectl(['get', 'drain', 'maintenance', '-o', 'jsonpath={.metadata.generation}']);
  const reason = `ObjectUnreadable ${generation}`;
  await eventually(async () => (await said()).startsWith(`Accepted=False ${reason};InForce=True ${reason};`));
  expect((await blade.status()).platform.notInForce).toMatchObject([
    {
      place: 'API of cluster paris',
      object: 'Drain/maintenance',
      state: 'held',
      message: expect.stringContaining('newer'),
    },
  ]);
  expect(await world.routed()).toEqual([other.address]);
  // Loss of the API is no end of the Drain, also for an agent that starts without it, and with an object that it cannot read.
  await plane.end('kube-apiserver');
  await blade.agent.stop();
  blade.startAgent('--kubeconfig', await plane.kubeconfigFor({ user: 'tideline:edge:1', groups: ['tideline:edge'] }));
  await eventually(async () => {
    const { platform, drain } = await blade.status();
    return platform.apis?.[0]?.reason === 'SourceUnreachable' && drain?.name === 'maintenance';
  });
  expect(await world.routed()).toEqual([other.address]);
  await plane.start('kube-apiserver');
  await eventually(async () => (await blade.status()).platform.apis?.[0]?.phase === 'live');
  expect(await blade.status()).toMatchObject({ draining: true });
  // The object is gone when the agent sees the API again.
  await blade.agent.stop();
  await plane.kubectl(['delete', 'drain', 'maintenance']);
  blade.startAgent('--kubeconfig', await plane.kubeconfigFor({ user: 'tideline:edge:1', groups: ['tideline:edge'] }));
  await eventually(async () => (await world.routed()).length === 2);
  expect((await blade.status()).platform).toMatchObject({ phase: 'current', apis: [{ phase: 'live', objects: 0 }] });
});

it('is drained and returned by one command each, which writes to the API, and never leaves a VIP without a blade', async () => {
  const [blade, other] = world.blades;
  const spec = await specOf('tideline:drain');
  const drain = (name: string, ...more: readonly string[]) =>
    tideline('drain', 'blade', name, spec, '--for', '1h', '--reason', 'disks', ...more);
  const stands = (): Promise<string> => plane.kubectl(['get', 'drains', '-o', 'jsonpath={.items[*].spec.target.name}']);
  expect(await drain(blade.name, '--to-api')).toMatchObject({
    code: 0,
    text: expect.stringMatching(/add --yes to do it/),
  });
  expect(await stands()).toBe('');
  expect(await drain(blade.name, '--to-api', '--yes')).toMatchObject({
    code: 0,
    text: expect.stringMatching(/^written: Drain\/blade-paris-blade-1 in the API of cluster paris$/m),
  });
  await eventually(async () => (await world.routed()).join() === other.address);
  // One blade asks the others what is left, and writes it.
  await eventually(async () =>
    /^blade-paris-blade-1 +Blade +paris-blade-1 +True +True +0 +0 +0 /m.test(await plane.kubectl(['get', 'drains'])),
  );
  // Neither by the API nor by the folder may the last blade leave; who may not read the API is told so.
  for (const where of [['--to-api', '--yes'], ['--yes']])
    expect(await drain(other.name, ...where)).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^refused \(LeavesVip\); nothing was written/m),
    });
  const stranger = await specOf('tideline:nobody');
  expect(await tideline('drain', 'blade', other.name, stranger, '--for', '1h', '--reason', 'x', '--yes')).toMatchObject(
    {
      code: 1,
      text: expect.stringMatching(
        /not known: what stands in the API.*SourceForbidden.*obeys Drain\/blade-paris-blade-1/s,
      ),
    },
  );
  expect(await tideline('undrain', 'blade', blade.name, stranger, '--yes')).toMatchObject({
    code: 1,
    text: expect.stringMatching(/not known: what stands in the API of cluster paris .*SourceForbidden/),
  });
  expect(await stands()).toBe(blade.name);
  // What somebody else wrote under the same name is theirs.
  const theirs = ['patch', 'drain', 'blade-paris-blade-1', '--type=merge', '-p', '{"spec":{"reason":"mine"}}'];
  await plane.kubectl(theirs);
  expect(await drain(blade.name, '--to-api', '--yes')).toMatchObject({
    code: 1,
    text: expect.stringMatching(/cannot be written in the API of cluster paris: .*OwnedByOther/),
  });
  expect(await tideline('undrain', 'blade', blade.name, spec, '--yes')).toMatchObject({
    code: 0,
    text: expect.stringMatching(/^removed: Drain\/blade-paris-blade-1 in the API of cluster paris$/m),
  });
  await eventually(async () => (await world.routed()).length === 2);
  // Of two that are written at the same moment at least one is taken back.
  const both = await Promise.all(world.blades.map(({ name }) => drain(name, '--to-api', '--yes')));
  const stand = both.filter(({ code }) => code === 0).length;
  expect(stand).toBeLessThan(2);
  expect((await stands()).split(' ').filter((name) => name !== '')).toHaveLength(stand);
});

it('runs from the API of its cluster alone, and believes of it what the operator said', async () => {
  const [blade, other] = world.blades;
  const kubeconfigOf = ({ name }: typeof blade) =>
    plane.kubeconfigFor({ user: `tideline:edge:${name}`, groups: ['tideline:edge'] });
  const alone = async (): Promise<void> => {
    await blade.agent.stop();
    blade.startAgentOn(['--cluster', 'paris', '--platform-trust', 'paris'], '--kubeconfig', await kubeconfigOf(blade));
  };
  await plane.kubectl(['delete', 'drains', '--all']);
  for (const kind of specKinds) await plane.kubectl(['apply', '-f', crdOf(kind)]);
  // Nothing is written there yet.
  await alone();
  await eventually(async () =>
    /"reason":"PlatformMissing".*no EdgePool/.test(await readFile(join(blade.runDir, 'agent.log'), 'utf8')),
  );
  await plane.apply(...(await objectsIn(join(world.platform, 'platform.yaml'))));
  const phases = async () => (await blade.status()).platform.apis?.map(({ phase }) => phase);
  await eventually(async () => (await blade.status()).vips[0]?.announced === true && (await phases())?.[0] === 'live');
  const { digest } = (await blade.status()).platform;
  expect((await other.status()).platform.digest).toBe(digest);
  // Blades tell each other by which spec they work, and the one that leads tells the API.
  const spec = ['get', 'edgepool', 'paris-edge', '-o', 'jsonpath={.status.conditions[?(@.type=="SameSpec")].message}'];
  await eventually(async () => (await plane.kubectl(spec)) === `${digest} on ${blade.name}, ${other.name}`, {
    timeoutMs: 120_000,
  });
  // The other blade has a folder, and believes of this API neither a wider Site nor another Cluster.
  await other.agent.stop();
  // The blade that leads says so in the API.
  await eventually(async () => (await plane.kubectl(spec)) === `${digest} on ${blade.name}`, { timeoutMs: 120_000 });
  for (const kind of ['site', 'cluster.tideline.dev'])
    await eventually(async () =>
      /^InForce=True InForce$/m.test(
        await plane.kubectl([
          'get',
          kind,
          'paris',
          '-o',
          'jsonpath={range .status.conditions[*]}{.type}={.status} {.reason}{"\\n"}{end}',
        ]),
      ),
    );
  other.startAgent('--platform-trust', 'paris=zones', '--kubeconfig', await kubeconfigOf(other));
  const wide = ['--type=merge', '-p', '{"spec":{"prefixes":{"vips":["192.0.2.0/24"]}}}'];
  await plane.kubectl(['patch', 'site', 'paris', ...wide]);
  await eventually(async () => (await blade.status()).platform.digest !== digest);
  await eventually(async () =>
    ((await other.status()).platform.notInForce ?? []).some(
      ({ object, state, reason }) => object === 'Site/paris' && state === 'refused' && reason === 'NotTrusted',
    ),
  );
  expect((await other.status()).platform.digest).toBe(digest);
  // A restart without the API changes nothing.
  const wider = (await blade.status()).platform.digest;
  await plane.end('kube-apiserver');
  await alone();
  await eventually(async () => (await blade.status()).platform.apis?.[0]?.reason === 'SourceUnreachable');
  await eventually(async () => (await blade.status()).vips[0]?.announced === true);
  expect((await blade.status()).platform).toMatchObject({ digest: wider, phase: 'current' });
  await plane.start('kube-apiserver');
  await eventually(async () => (await phases())?.[0] === 'live');
  expect((await blade.status()).platform.digest).toBe(wider);
});

it('follows the API of another cluster too, and takes no change of a Site from one of the two alone', async () => {
  const [blade] = world.blades;
  await run('ip', ['addr', 'add', '10.9.0.3/32', 'dev', 'up0']);
  newyork = await startTestControlPlane({ address: '10.9.0.3' });
  for (const kind of specKinds) await newyork.kubectl(['apply', '-f', crdOf(kind)]);
  await newyork.kubectl(['create', 'namespace', 'tideline-system']);
  await newyork.apply(...(await objectsIn(deployed('components/platform-spec/rights'))));
  const objects = await plane.kubectl(['get', specKinds.map((kind) => `${kind}.tideline.dev`).join(), '-o', 'json']);
  const { items } = JSON.parse(objects) as { readonly items: readonly Written[] };
  await newyork.apply(
    ...items.map(({ apiVersion, kind, metadata: { name }, spec }) => ({ apiVersion, kind, metadata: { name }, spec })),
  );
  const reader = await newyork.kubeconfigFor({ user: 'tideline:platform:1', groups: ['tideline:platform'] });
  await blade.agent.stop();
  const trust = ['--platform-trust', 'paris', '--platform-trust', 'newyork'];
  blade.startAgentOn(
    ['--cluster', 'paris', '--platform-api', `newyork=${reader}`, ...trust],
    '--kubeconfig',
    await plane.kubeconfigFor({ user: `tideline:edge:${blade.name}`, groups: ['tideline:edge'] }),
  );
  const said = async () => (await blade.status()).platform;
  const phases = async () => (await said()).apis?.map(({ phase }) => phase).join();
  await eventually(async () => (await phases()) === 'live,live');
  const before = (await said()).digest;
  expect((await said()).notInForce).toBeUndefined();
  const edit = ['patch', 'site', 'paris', '--type=merge', '-p', '{"spec":{"prefixes":{"vips":["192.0.2.0/23"]}}}'];
  await newyork.kubectl(edit);
  await eventually(async () => (await said()).notInForce?.length === 2);
  expect((await said()).notInForce).toMatchObject([
    { place: 'API of cluster paris', object: 'Site/paris', reason: 'CopiesDiffer' },
    { message: expect.stringMatching(/API of cluster paris and API of cluster newyork differ; .* agreed last/) },
  ]);
  expect((await said()).digest).toBe(before);
  await newyork.end('kube-apiserver');
  await eventually(async () => (await phases()) === 'live,stale');
  expect((await said()).digest).toBe(before);
  await plane.kubectl(edit);
  await eventually(async () => (await said()).digest !== before);
  expect((await said()).notInForce).toBeUndefined();
});

it('gives DNS plans the policies and drains of an API that is trusted, and refuses to plan on what it cannot read', async () => {
  const spec = await specOf('tideline:platform');
  const steered = (folder: string, ...topics: readonly TrustTopic[]) =>
    steeredPlatform([folder], [{ cluster: 'paris', topics: new Set(topics) }]);
  const policy = { hosts: ['api.video.example'], dns: { zone: 'video.example', providers: ['powerdns'] } };
  const answer = { default: { clusters: [{ name: 'paris' }] } };
  await plane.apply({
    ...drainOf(''),
    kind: 'TrafficPolicy',
    metadata: { name: 'api' },
    spec: { ...policy, ...answer },
  });
  expect([...(await steered(spec, 'zones')).policies.keys()].toSorted()).toEqual(['api', 'video']);
  expect([...(await steered(spec, 'zones')).drains.keys()]).toEqual([]);
  // The Cluster in the API is read from another place than that of the folder, and the Site there is wider.
  await expect(steered(spec, 'clusters')).rejects.toThrow(/Cluster\/paris: .*differ.*CopiesDiffer/);
  await plane.kubectl(['delete', 'clusters.tideline.dev,edgepools.tideline.dev', '--all']);
  await plane.apply(drainOf('', { target: { kind: 'Cluster', name: 'paris' } }));
  expect((await steered(spec, 'clusters')).drains.get('maintenance')?.spec.target.kind).toBe('Cluster');
  await expect(steered(await specOf('tideline:nobody'), 'zones')).rejects.toThrow(/SpecApiUnread/);
  await plane.kubectl(['delete', 'crd', 'trafficpolicies.tideline.dev']);
  await expect(steered(spec, 'zones')).rejects.toThrow(/SpecApiUnread/);
});
