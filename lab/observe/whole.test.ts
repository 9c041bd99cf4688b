import { describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../src/model/status.ts';
import type { Datacentre } from '../world/topology.ts';
import type { AgentView } from './agents.ts';
import { missingOf, phaseOf, type Seen } from './whole.ts';

const paris: Datacentre = {
  site: 'paris',
  cluster: 'paris',
  pool: 'paris-edge',
  router: { name: 'paris-tor', address: '10.1.0.1', asn: 65010 },
  serverAsn: 65011,
  uplinks: [],
  workers: [{ name: 'paris-worker-1', address: '10.1.0.11' }],
  blades: [
    { name: 'paris-blade-2', address: '10.1.0.22' },
    { name: 'paris-blade-1', address: '10.1.0.21' },
  ],
  masters: [],
  vips: ['192.0.2.10'],
  prefixes: { pods: [], servers: [], vips: [] },
};
const world = { datacentres: [paris], regions: [], users: [] };

const agent = (source?: Pick<AgentStatus, 'source'>['source']): AgentView => ({
  server: 'paris-blade-1',
  kind: 'edge',
  url: '',
  ...(source === undefined ? {} : { status: { source } as AgentStatus }),
});
const vip = { prefix: '192.0.2.10/32', via: ['10.1.0.21', '10.1.0.22'] };
const block = { prefix: '10.10.1.0/26', via: ['10.1.0.11'] };
const whole: Seen = {
  routers: [{ name: 'paris-tor', answers: true, sessions: [{ neighbor: 'paris-blade-1', established: true }] }],
  agents: [agent({ phase: 'live' })],
  routes: new Map([['paris', [block, vip]]]),
  blocks: new Map([['paris', [{ cidr: '10.10.1.0/26', node: 'paris-worker-1' }]]]),
};

describe('what is missing in a world without faults', () => {
  it('is nothing when all is there', () => {
    expect(missingOf(world, whole)).toBeUndefined();
  });

  it.each<[string, Partial<Seen>, string]>([
    [
      'a router',
      { routers: [{ name: 'paris-tor', answers: false, sessions: [] }] },
      'the BIRD of paris-tor does not answer',
    ],
    [
      'a session',
      { routers: [{ name: 'paris-tor', answers: true, sessions: [{ neighbor: 'b', established: false }] }] },
      'paris-tor has no session with b',
    ],
    ['an agent', { agents: [agent()] }, 'the edge agent of paris-blade-1 says no answer, not live'],
    [
      'the cluster of an agent',
      { agents: [agent({ phase: 'syncing' })] },
      'the edge agent of paris-blade-1 says syncing, not live',
    ],
    [
      'one blade of two',
      { routes: new Map([['paris', [block, { ...vip, via: ['10.1.0.21'] }]]]) },
      'paris-tor sends 192.0.2.10/32 to 10.1.0.21, not to 10.1.0.22 and 10.1.0.21',
    ],
    ['a worker', { routes: new Map([['paris', [vip]]]) }, 'paris-tor sends 10.10.1.0/26 to nobody, not to 10.1.0.11'],
  ])('is %s', (_case, other, missing) => {
    expect(missingOf(world, { ...whole, ...other })).toBe(missing);
  });
});

it('tells how an agent stands to its cluster in its own words', () => {
  const stale = agent({ phase: 'stale', reason: 'SourceMissing' });
  expect([agent(), agent({ phase: 'live' }), stale].map(phaseOf)).toEqual(['no answer', 'live', 'stale SourceMissing']);
});
