import { resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { Platform } from '../../../model/spec/platform.ts';
import { loadPlatformOrThrow } from '../../../platform/load.ts';
import { type FoundField, type FoundServer, foundFields } from './found.ts';
import { fieldsOf, mappingOf } from './mapping.ts';
import { importServers } from './servers.ts';
import { filesOf, renderServerImport } from './text.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await loadPlatformOrThrow([resolve('test/golden/check/valid-fleet/input.yaml')]);
});

const none: Record<'role' | 'status' | 'site' | 'class' | 'cluster', readonly string[]> = {
  role: [],
  status: [],
  site: [],
  class: [],
  cluster: [],
};
const complete = { site: ['paris'], rack: ['r1'], class: ['standard'], roles: ['worker'] };

function machine(
  name: string,
  address: string,
  more: Partial<Record<FoundField, readonly string[]>> = {},
): FoundServer {
  const texts = {
    ...Object.fromEntries(foundFields.map((field) => [field, []])),
    ...complete,
    name: [name],
    addresses: [address],
    ...more,
  };
  return { at: `list:${name}`, texts: texts as FoundServer['texts'] };
}
const run = (found: readonly FoundServer[], words: Partial<typeof none> = {}) =>
  importServers(platform, found, mappingOf({ ...none, ...words }));
const only = (found: readonly FoundServer[], words: Partial<typeof none> = {}) =>
  run(found, words).findings.filter(({ outcome }) => outcome !== 'gone');
const first = (...args: Parameters<typeof only>) => only(...args)[0];

it('makes a Server, names what it derived, and a ServerClass that is new', () => {
  const { servers, classes, findings } = run([
    machine('PAR-W-9.example.net', '10.1.0.59/24', {
      class: ['Dell R650'],
      uplink: ['bond0'],
      rack: ['R 12'],
      serial: ['S9'],
      gpu: ['H100', 'H100'],
    }),
  ]);
  expect(servers).toEqual([
    {
      origin: 'from list:PAR-W-9.example.net, serial number S9',
      document: {
        apiVersion: 'tideline.dev/v1alpha1',
        kind: 'Server',
        metadata: { name: 'par-w-9' },
        spec: {
          site: 'paris',
          rack: 'r-12',
          class: 'dell-r650',
          addresses: ['10.1.0.59'],
          cluster: 'paris',
          roles: ['worker'],
        },
      },
    },
  ]);
  expect(classes).toMatchObject([{ metadata: { name: 'dell-r650' }, spec: { network: { uplinks: ['bond0'] } } }]);
  expect(findings.find(({ server }) => server === 'par-w-9')?.notes).toEqual([
    'PAR-W-9.example.net is written par-w-9',
    'its cluster is paris, the only one in paris',
    'its ServerClass dell-r650 is new: add its disks',
    expect.stringMatching(/have GPUs \(H100, H100\): add `gpus` with the driver/),
  ]);
});

it('compares with what the spec has: same, different and gone, and writes none of them', () => {
  const { servers, findings } = run([
    machine('par-a-worker', '10.1.0.31', { rack: ['a'], cluster: ['paris'] }),
    machine('par-b-worker', '10.1.0.32', { rack: ['z'], status: ['decommissioning'] }),
  ]);
  expect(servers).toEqual([]);
  const of = (name: string) => findings.find(({ server }) => server === name);
  expect(of('par-a-worker')).toMatchObject({ outcome: 'same' });
  expect(of('par-b-worker')).toMatchObject({
    outcome: 'different',
    what: 'rack b, in the source z; state active, in the source retired',
  });
  expect(of('par-a-master')).toMatchObject({ outcome: 'gone' });
  expect(findings.filter(({ outcome }) => outcome === 'gone')).toHaveLength(5);
});

it.each<readonly [string, Partial<Record<FoundField, readonly string[]>>, RegExp, RegExp]>([
  ['no name', { name: [] }, /has no name/, /name it in the source/],
  ['a name that is none', { name: ['x_y'] }, /"x_y" is no host name/, /lower-case letters/],
  ['no rack', { rack: [] }, /has no rack/, /--field rack=PLACE/],
  ['no class', { class: [] }, /has no class/, /--class '=standard'/],
  ['no address', { addresses: [] }, /has no address/, /give it one/],
  ['an address that is none', { addresses: ['10.1.0'] }, /"10\.1\.0" is no address/, /correct it/],
  [
    'two addresses of a family',
    { addresses: ['10.1.0.51', '10.1.0.52'] },
    /several IPv4 addresses in paris: 10\.1\.0\.51, 10\.1\.0\.52/,
    /--field addresses=PLACE/,
  ],
  [
    'an address outside of its Site',
    { addresses: ['10.9.0.1'] },
    /10\.9\.0\.1 is outside the servers prefixes of paris, and of every other/,
    /add the prefix/,
  ],
  ['an unknown Site', { site: ["Pari's"] }, /no Site for "Pari's"/, /did you mean "paris"\? --site 'Pari'\\''s=paris'/],
  [
    'neither Site nor a prefix',
    { site: [], addresses: ['10.9.0.1'] },
    /no site, and no Site has 10\.9\.0\.1/,
    /--field site=PLACE/,
  ],
  ['an unknown role', { roles: ['switch'] }, /role "switch" is none/, /--role switch=worker/],
  ['roles apart', { roles: ['worker', 'etcd'] }, /worker and etcd do not share/, /one role/],
  ['an unknown status', { status: ['odd'] }, /status "odd" is none/, /--status odd=active/],
  [
    'an unknown cluster',
    { cluster: ['rome'] },
    /no Cluster for "rome"/,
    /name one that stands in paris: paris, by --cluster rome=paris/,
  ],
  [
    'an address of another Server',
    { addresses: ['10.1.0.31'] },
    /10\.1\.0\.31 is that of Server\/par-a-worker/,
    /rename par-a-worker/,
  ],
])('refuses a machine with %s', (_, texts, what, fix) => {
  const finding = first([machine('par-w-9', '10.1.0.59', texts)]);
  expect(finding).toMatchObject({
    outcome: 'refused',
    what: expect.stringMatching(what),
    fix: expect.stringMatching(fix),
  });
});

it('refuses machines that share a name or an address, and doubts those that share a serial number', () => {
  const alike = only([machine('a', '10.1.0.51'), machine('A.example', '10.1.0.52')]);
  expect(alike.map(({ at, what }) => [at, what])).toEqual([
    ['list:A.example', 'another has its name: a (list:a)'],
    ['list:a', 'another has its name: a (list:A.example)'],
  ]);
  expect(first([machine('a', '10.1.0.51'), machine('b', '10.1.0.51')])?.what).toMatch(
    /has its address 10\.1\.0\.51: b/,
  );
  const many = Array.from({ length: 3000 }, (_, index) => machine(`w-${index}`, '10.1.0.51'));
  expect(only(many)[0]?.what).toMatch(/^another has its address 10\.1\.0\.51: w-1 \(list:w-1\), .* and 2996 more$/);
  const twins = only([machine('a', '10.1.0.51', { serial: ['S'] }), machine('b', '10.1.0.52', { serial: ['S'] })]);
  expect(twins.map(({ outcome, notes }) => [outcome, notes.at(-1)])).toEqual([
    ['new', 'its serial number S is also that of b (list:b)'],
    ['new', 'its serial number S is also that of a (list:a)'],
  ]);
});

it('says of control planes that nobody is a member of their etcd', () => {
  const bare = { ...platform, servers: new Map() };
  const notes = (role: string) =>
    importServers(bare, [machine('a', '10.1.0.51', { roles: [role] })], mappingOf(none)).findings[0]?.notes.join();
  expect(notes('master')).toMatch(/has control planes and no etcd: .*--role 'WORD=etcd\+control-plane'/);
  expect(notes('worker')).not.toContain('etcd');
});

it('leaves out what has another status or role, and takes words as they are said to be meant', () => {
  expect(first([machine('a', '10.1.0.51', { status: ['Planned'] })])).toMatchObject({
    outcome: 'left',
    what: 'its status is Planned',
  });
  expect(first([machine('a', '10.1.0.51', { roles: ['Top of Rack'] })], { role: ['top of rack=leave'] })?.outcome).toBe(
    'left',
  );
  const mapped = run([machine('a', '10.1.0.51', { roles: ['k8s=1'], site: ['EQX PA3'], class: [], cluster: ['K'] })], {
    role: ['k8s=1=etcd+control-plane'],
    site: ['eqx pa3=paris'],
    class: ['=standard'],
    cluster: ['K=paris'],
  });
  expect(mapped.servers[0]?.document.spec).toMatchObject({
    site: 'paris',
    class: 'standard',
    cluster: 'paris',
    roles: ['etcd', 'control-plane'],
  });
  expect(run([machine('a', '10.1.0.51', { roles: [] })]).servers[0]?.document.spec).not.toHaveProperty('cluster');
});

it('takes the address inside the Site, and the Site by the address', () => {
  const { servers, findings } = run([
    machine('a', '', {
      site: [],
      addresses: ['172.17.0.1', '10.1.0.51', '10.250.0.9'],
      uplink: ['docker0', 'ens1', 'bmc'],
      class: ['new'],
    }),
  ]);
  expect(servers[0]?.document.spec).toMatchObject({ site: 'paris', addresses: ['10.1.0.51'] });
  expect(findings.find(({ server }) => server === 'a')?.notes).toContain(
    'left out, outside the servers prefixes of paris: 172.17.0.1, 10.250.0.9',
  );
  expect(
    run([machine('a', '10.1.0.51', { class: ['new'], uplink: ['no interface at all'] })]).classes[0]?.spec,
  ).toEqual({});
});

it.each([
  [{ role: ['x=workr'] }, /no role workr.*did you mean "worker"/s],
  [{ role: ['worker'] }, /--role worker has no =/],
  [{ status: ['x=gone'] }, /no state of a server/],
])('refuses the mapping %j', (words, expected) => {
  expect(() => mappingOf({ ...none, ...words })).toThrow(expected);
});

it('refuses a field that a Server does not have', () => {
  expect(() => fieldsOf(['racks=x'])).toThrow(/no racks.*did you mean "rack"/s);
  expect(fieldsOf(['rack=a', 'rack=b'])).toEqual(new Map([['rack', ['a', 'b']]]));
});

it('keeps texts of others on their lines, in the report and in files', () => {
  const result = run([
    machine('a', '10.1.0.51', { serial: ['S\nkind: Site\u202e'], class: ['x\n---\ny'], rack: ['r\u0000'] }),
  ]);
  const written = [...filesOf(result).values()].join('');
  expect(written).not.toMatch(/^kind: Site|\u202e/m);
  expect(written).toContain('# from list:a, serial number S\\nkind: Site\\u202e');
  expect(renderServerImport(result).join(' ')).toContain('new in paris: a');
});

it('reads 2,500 machines into files that the spec takes, with a short report', async () => {
  const machines = Array.from({ length: 200 }, (_, index) => machine(`w-${index}`, `10.1.0.${index + 50}`));
  const result = run(machines);
  expect(renderServerImport(result).length).toBeLessThan(20);
  const wide = { ...platform, sites: new Map([...platform.sites].map(([name, site]) => [name, wider(site)] as const)) };
  const many = Array.from({ length: 2500 }, (_, index) =>
    machine(`w-${index}`, `10.1.${20 + Math.floor(index / 250)}.${index % 250}`),
  );
  const all = importServers(wide, many, mappingOf(none));
  const files = filesOf(all);
  expect([...files.keys()]).toEqual([
    'servers-paris.yaml',
    ...[2, 3, 4, 5].map((part) => `servers-paris-${part}.yaml`),
  ]);
  for (const text of files.values()) expect(text.length).toBeLessThan(1 << 20);
  expect([...filesOf(importServers(wide, many.toReversed(), mappingOf(none))).values()]).toEqual([...files.values()]);
});

function wider(site: NonNullable<ReturnType<Platform['sites']['get']>>) {
  const prefix = { family: 4, network: '10.1.0.0', length: 16, text: '10.1.0.0/16' } as const;
  return { ...site, spec: { ...site.spec, prefixes: { ...site.spec.prefixes, servers: [prefix] } } };
}
