import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { startTestControlPlane } from '../support/clusters/control-plane.ts';
import { objectsOf } from '../support/clusters/pool-definition.ts';
import { type Ran, runTideline } from '../support/steering/command.ts';

/** Proposals and words about them in a real API, where a name is the one by which the API knows whoever writes it. */
let plane: ControlPlane;
let folder: string;
/** A copy of the spec and kubectl for each person. */
const people: Record<'anna' | 'optimiser', { readonly spec: string; readonly kubeconfig: string }> = {
  anna: { spec: '', kubeconfig: '' },
  optimiser: { spec: '', kubeconfig: '' },
};
type Person = keyof typeof people;

const policy = {
  apiVersion: 'tideline.dev/v1alpha1',
  kind: 'TrafficPolicy',
  metadata: { name: 'video' },
  spec: {
    hosts: ['www.video.example'],
    dns: { zone: 'video.example', providers: ['route53'] },
    default: { clusters: [{ name: 'paris' }], failover: ['cloud'] },
    guard: { approvers: 'other' },
  },
};

const overlay = (owner: string, cluster = 'cloud', name = 'evening') => ({
  apiVersion: 'tideline.dev/v1alpha1',
  kind: 'TrafficOverlay',
  metadata: { name },
  spec: {
    policy: 'video',
    owner,
    reason: 'paris is at its limit',
    expires: '2099-01-01T00:00:00Z',
    rules: [{ countries: ['FR'], clusters: [{ name: cluster }] }],
  },
});

const verdict = (by: string, of: ReturnType<typeof overlay>, name = of.metadata.name) => {
  const { policy: about, owner, expires, rules } = of.spec;
  return {
    apiVersion: 'tideline.dev/v1alpha1',
    kind: 'TrafficVerdict',
    metadata: { name },
    spec: {
      overlay: of.metadata.name,
      verdict: 'approve',
      by,
      at: '2026-11-27T15:00:00Z',
      reason: 'looked at it',
      proposal: { policy: about, owner, afterwards: 'stay', expires, rules },
    },
  };
};

/** What kubectl says to a person who applies this object. */
async function applying(person: Person, object: object, ...more: readonly string[]): Promise<string> {
  const file = join(folder, 'object.json');
  await writeFile(file, JSON.stringify(object));
  const { kubeconfig } = people[person];
  return plane
    .kubectl(['--kubeconfig', kubeconfig, 'apply', '-f', file, ...more])
    .catch((error: Error) => error.message);
}

async function tideline(person: Person, word: string, ...more: readonly string[]): Promise<Ran> {
  const { spec } = people[person];
  const words = [
    'steering',
    word,
    ...(word === 'proposals' ? [] : ['evening']),
    spec,
    '--platform-trust',
    'paris=zones',
  ];
  return runTideline({ XDG_STATE_HOME: folder }, [...words, ...more]);
}

const digestIn = ({ out }: Ran): string => /to \w+ exactly version ([0-9a-f]{12})/.exec(out)?.[1] ?? out;
const verdicts = (): Promise<string> => plane.kubectl(['get', 'trafficverdicts', '-o', 'jsonpath={.items[*].spec.by}']);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-proposals-'));
  plane = await startTestControlPlane();
  await plane.kubectl(['create', 'namespace', 'tideline-system']);
  await plane.kubectl(['apply', '--server-side', '-f', 'deploy/crds']);
  await plane.apply(...(await objectsOf('deploy/rbac/approve.yaml')), policy);
  // Whoever proposes has rights of his own. Here he was also given those of an approver.
  const rules = [{ apiGroups: ['tideline.dev'], resources: ['trafficoverlays'], verbs: ['get', 'create', 'patch'] }];
  const metadata = { name: 'proposers' };
  const group = 'rbac.authorization.k8s.io';
  await plane.apply(
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'proposers' },
      subjects: [{ apiGroup: group, kind: 'Group', name: 'proposers' }],
    },
  );
  for (const [person, groups] of [
    ['anna', ['tideline:approve']],
    ['optimiser', ['tideline:approve', 'proposers']],
  ] as const) {
    const spec = join(folder, person);
    const kubeconfig = await plane.kubeconfigFor({ user: person, groups });
    await cp('examples/hybrid', spec, { recursive: true });
    await rm(join(spec, 'traffic.yaml'));
    await rm(join(spec, 'clusters/paris'), { recursive: true });
    const clusters = await readFile(join(spec, 'clusters.yaml'), 'utf8');
    const source = `source: { kubeconfig: ${kubeconfig} }`;
    await writeFile(join(spec, 'clusters.yaml'), clusters.replace('source: { manifests: ./clusters/paris }', source));
    people[person] = { spec, kubeconfig };
  }
});

afterAll(async () => {
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

it('is approved by nobody where any name would do, and another person is wanted', async () => {
  expect(await applying('optimiser', overlay('somebody'))).toMatch(/created/);
  const shown = await tideline('optimiser', 'approve', '--to-api');
  expect(shown).toMatchObject({ code: 0, err: '', out: expect.stringContaining('--to-api') });
  const refused = await tideline('optimiser', 'approve', '--to-api', '--proposal', digestIn(shown), '--reason', 'mine');
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('NamesUnproven') });
  expect(await verdicts()).toBe('');
  await plane.kubectl(['delete', 'trafficoverlay', 'evening']);
});

it('lets nobody propose or approve in the name of somebody else', async () => {
  await plane.apply(...(await objectsOf('deploy/components/platform-spec/names.yaml')));
  // The API server takes a moment to see new policies.
  await expect
    .poll(() => applying('optimiser', overlay('somebody'), '--dry-run=server'), { timeout: 60_000, interval: 500 })
    .toMatch(/spec\.owner must be who writes it: optimiser/);
  expect(await applying('optimiser', overlay('optimiser'))).toMatch(/created/);
  expect(await applying('optimiser', verdict('anna', overlay('optimiser')))).toMatch(
    /spec\.by must be who writes it: optimiser/,
  );
  // A copy of his own making is no proposal of somebody else.
  await expect
    .poll(() => applying('optimiser', verdict('optimiser', overlay('anna')), '--dry-run=server'), {
      timeout: 60_000,
      interval: 500,
    })
    .toMatch(/spec\.proposal must be what the overlay says now/);
  expect(await applying('anna', verdict('anna', overlay('optimiser', 'newyork')))).toMatch(
    /spec\.proposal must be what the overlay says now/,
  );
  expect(await tideline('optimiser', 'approve', '--to-api')).toMatchObject({
    code: 2,
    err: expect.stringContaining('OwnProposal'),
  });
  expect(await tideline('optimiser', 'approve', '--to-api', '--by', 'anna')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/the API of cluster paris knows you as optimiser, and not as anna \(NotYourName\)/),
  });
  // By hand he may say so, and it does not count.
  expect(await applying('optimiser', verdict('optimiser', overlay('optimiser')))).toMatch(/created/);
  expect((await tideline('anna', 'proposals')).out).toMatch(/^evening [0-9a-f]{12}: proposed, own word;/m);
  await plane.kubectl(['delete', 'trafficverdict', 'evening']);
});

it('is shown first, and approved in the API in the name of who asks', async () => {
  const shown = await tideline('anna', 'approve', '--to-api');
  expect(shown).toMatchObject({ code: 0, err: '', out: expect.stringContaining('nothing was written') });
  expect(await verdicts()).toBe('');
  const digest = digestIn(shown);
  const done = await tideline('anna', 'approve', '--to-api', '--proposal', digest, '--reason', 'looked at it');
  expect(done).toMatchObject({
    code: 0,
    err: '',
    out: `approved by anna: overlay evening, version ${digest}\nwritten: TrafficVerdict/evening in the API of cluster paris\n`,
  });
  expect((await tideline('anna', 'proposals')).out).toMatch(/^evening [0-9a-f]{12}: in force;/m);
  // A second word in another place would not come into force.
  expect(await tideline('anna', 'reject')).toMatchObject({ code: 2, err: expect.stringContaining('CopyElsewhere') });
});

it('keeps what was approved while the owner changes it, and is rejected by whoever may', async () => {
  expect(await applying('optimiser', overlay('optimiser', 'newyork'))).toMatch(/configured/);
  expect((await tideline('anna', 'proposals')).out).toMatch(/^evening [0-9a-f]{12}: in force, changed;/m);
  const digest = digestIn(await tideline('optimiser', 'reject', '--to-api'));
  const done = await tideline('optimiser', 'reject', '--to-api', '--proposal', digest, '--reason', 'a mistake');
  expect(done).toMatchObject({ code: 0, err: '' });
  expect(await verdicts()).toBe('optimiser');
  expect((await tideline('anna', 'proposals')).out).toMatch(/^evening [0-9a-f]{12}: rejected;/m);
});

it('is refused where it stands in no API, and where a word is of another tool', async () => {
  const aside = join(people.anna.spec, 'night.yaml');
  await writeFile(aside, JSON.stringify(overlay('optimiser', 'cloud', 'night')));
  const words = ['steering', 'approve', 'night', people.anna.spec, '--platform-trust', 'paris=zones', '--to-api'];
  await plane.kubectl(['delete', 'trafficoverlay', 'evening']);
  expect(await runTideline({ XDG_STATE_HOME: folder }, words)).toMatchObject({
    code: 2,
    err: expect.stringContaining('NotInApi'),
  });
  await rm(aside);
  await plane.kubectl(['delete', 'trafficverdict', 'evening']);
  expect(await applying('optimiser', overlay('optimiser'))).toMatch(/created/);
  expect(await applying('anna', verdict('anna', overlay('optimiser')))).toMatch(/created/);
  const digest = digestIn(await tideline('anna', 'reject', '--to-api'));
  const said = await tideline('anna', 'reject', '--to-api', '--proposal', digest, '--reason', 'no');
  expect(said).toMatchObject({
    code: 1,
    err: expect.stringMatching(
      /TrafficVerdict\/evening cannot be written in the API of cluster paris: .*OwnedByOther/s,
    ),
  });
});

it('needs no more rights than it has, and uses those it has', async () => {
  const asked = await plane.audit(({ user }) => user === 'anna');
  expect(asked.filter(({ decision }) => decision === 'forbid')).toEqual([]);
  const used = new Set(asked.map(({ verb, resource }) => `${verb} ${resource}`));
  for (const right of ['list trafficpolicies', 'list trafficoverlays', 'list trafficverdicts', 'get trafficverdicts'])
    expect(used).toContain(right);
  expect(used).toContain('patch trafficverdicts');
});
