import { expect, test } from 'vitest';
import { blade, silent } from '../../test/support/snapshot.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import type { HostProbe, HostQuery } from './ask-host.ts';
import { lookForParity } from './look-parity.ts';
import { renderParity } from './parity-text.ts';
import { parityFindings } from './served-findings.ts';
import type { AgentPart, EdgePart, Target } from './snapshot.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);
const host = 'www.video.example';
type Hosts = NonNullable<EdgePart['policyHosts']>[number];
const all: Hosts = { policy: 'video', lacking: [], count: 0, withoutCertificate: [] };
const lack = (reason: string, name = host) => ({ host: name, reason, message: 'why' });

/** What the blades of each cluster say, and what answers where none does. */
interface World {
  readonly paris?: Partial<Hosts> | string;
  readonly newyork?: Partial<Hosts> | string;
  readonly probe?: Partial<HostProbe>;
}

async function look({ paris = {}, newyork = {}, probe = {} }: World) {
  const asked: HostQuery[] = [];
  const says = { paris, newyork } as const;
  const ask = async (target: Target): Promise<AgentPart> => {
    const said = says[target.cluster === 'paris' ? 'paris' : 'newyork'];
    if (typeof said === 'string') return { ...silent(target.server, 'edge', said), target };
    const part = blade(target.server, { policyHosts: [{ ...all, count: said.lacking?.length ?? 0, ...said }] });
    return { ...part, target };
  };
  const views = await lookForParity(platform, {
    ask,
    probe: async (query) => {
      asked.push(query);
      return { cluster: query.cluster, host: query.host, lacks: [], tls: 'valid', ...probe };
    },
  });
  return { lines: renderParity(views), asked };
}

test('nothing is said while every cluster has every host; only what has no blades is looked at from outside', async () => {
  const { lines, asked } = await look({});
  expect(lines).toEqual([]);
  const ports = { http: 80, https: 443 };
  expect(asked).toEqual([{ cluster: 'cloud', host, name: host, address: '203.0.113.10', ports }]);
});

test.each<[string, World, readonly string[]]>([
  [
    'a host without Ingress',
    { newyork: { lacking: [lack('HostNotServed')] } },
    [
      '! cluster newyork lacks www.video.example of TrafficPolicy/video: why (HostNotServed); make an Ingress for it there, or take the cluster out of the policy',
    ],
  ],
  [
    'more hosts than are named',
    { paris: { lacking: ['a', 'b', 'c', 'd'].map((name) => lack('HostNotReady', name)), count: 9 } },
    [
      '! cluster paris lacks a, b, c and 1 more hosts of TrafficPolicy/video: why (HostNotReady); bring its pods up there; tideline why host HOST FOLDER names what is missing',
      '! cluster paris lacks 5 more of the hosts of TrafficPolicy/video',
    ],
  ],
  [
    'a certificate that others have',
    { newyork: { withoutCertificate: [host] } },
    [
      '! cluster newyork lacks www.video.example of TrafficPolicy/video: it has no certificate there, and one at cloud (CertificateNone); name a Secret with its certificate in spec.tls of its Ingress there',
    ],
  ],
  [
    'no certificate anywhere',
    { paris: { withoutCertificate: [host] }, newyork: { withoutCertificate: [host] }, probe: { tls: 'none' } },
    [],
  ],
  [
    'what answers at an address',
    { probe: { lacks: [lack('CertificateExpired')], tls: 'other' } },
    [
      '! cluster cloud lacks www.video.example of TrafficPolicy/video: why (CertificateExpired); renew the Secret that its Ingress names there',
    ],
  ],
  [
    'what nothing tells',
    { probe: { unknown: 'no answer at 203.0.113.10:443', tls: 'other' } },
    ['whether cluster cloud has www.video.example is not known: no answer at 203.0.113.10:443 (HostsUnknown)'],
  ],
])('%s', async (_, world, wanted) => {
  expect((await look(world)).lines).toEqual(wanted);
});

test('of a cluster whose blades do not answer its address is looked at, and silence is no answer', async () => {
  const { lines, asked } = await look({ paris: 'cannot be reached', probe: { unknown: 'no answer', tls: 'other' } });
  expect(asked.map(({ cluster, address }) => `${cluster} ${address}`)).toEqual([
    'cloud 203.0.113.10',
    'paris 192.0.2.10',
  ]);
  expect(lines).toEqual([
    'whether cluster cloud has www.video.example is not known: no answer (HostsUnknown)',
    'whether cluster paris has www.video.example is not known: no answer (HostsUnknown)',
  ]);
});

test('of a blade that cannot read its cluster, or is of an older version, nothing is taken', async () => {
  const stale = { phase: 'stale' as const };
  const ask = async (target: Target): Promise<AgentPart> => ({
    ...blade(target.server, target.cluster === 'paris' ? { source: stale, policyHosts: [all] } : {}),
    target,
  });
  const asked: string[] = [];
  const probe = async ({ cluster, host: name }: HostQuery): Promise<HostProbe> => {
    asked.push(cluster);
    return { cluster, host: name, lacks: [], tls: 'valid' };
  };
  await lookForParity(platform, { ask, probe });
  expect(asked).toEqual(['cloud', 'newyork', 'paris']);
});

test('of many hosts some are looked at, and the others are not known', async () => {
  const [policy] = platform.policies.values();
  if (policy === undefined) throw new Error('no policy');
  const hosts = Array.from({ length: 100 }, (_, index) => `h${index}.video.example`);
  const many = { ...platform, policies: new Map([['video', { ...policy, spec: { ...policy.spec, hosts } }]]) };
  let looks = 0;
  const views = await lookForParity(many, {
    ask: async (target) => ({ ...silent(target.server, 'edge'), target }),
    probe: async ({ cluster, host: name }) => {
      looks += 1;
      return { cluster, host: name, lacks: [], tls: 'valid' };
    },
  });
  expect(looks).toBe(64);
  expect(renderParity(views).join('\n')).toMatch(/more than 64 hosts were to be looked at \(HostsUnknown\)/);
});

test('a status names what clusters lack, but not where their policy is not healthy at all', () => {
  const lacking = [lack('HostNotServed')];
  const parts = (healthy: boolean) => [
    blade('b1', {
      policies: [{ policy: 'video', healthy, reason: 'x' }],
      policyHosts: [{ ...all, lacking, count: 1 }],
    }),
  ];
  expect(parityFindings(parts(true))).toMatchObject([{ severity: 'fault', subject: 'cluster paris' }]);
  expect(parityFindings(parts(false))).toEqual([]);
});
