import { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { CloudRegion, Datacentre } from '../world/topology.ts';
import { FaultBoard } from './board.ts';
import { faults } from './catalogue.ts';
import { faultSummaries } from './names.ts';
import type { FaultedCluster, FaultPort } from './port.ts';

const server = (name: string) => ({ name, address: '10.1.0.1' });
const paris: Datacentre = {
  site: 'paris',
  cluster: 'paris',
  pool: 'paris',
  router: { ...server('paris-tor'), asn: 65010 },
  serverAsn: 65011,
  uplinks: ['transit'],
  workers: [server('paris-worker-1')],
  blades: [server('paris-blade-1')],
  masters: [],
  vips: ['192.0.2.10'],
  prefixes: { pods: [], servers: [], vips: [] },
};

const asia: CloudRegion = {
  site: 'cloud-asia',
  cluster: 'cloud',
  transit: 'transit',
  asn: 64513,
  anycast: ['203.0.113.10'],
  location: { latitude: 35, longitude: 139 },
  prefix: '10.33.0.0/24',
  address: '10.33.0.1',
};

const end = (namespace: string, device: string) => ({ namespace, device, address: '', peer: '' });

/** A lab of one data centre that only records what is done to it. */
function smallLab(folder = '') {
  const done: string[] = [];
  const services = [
    'cloud-asia/balancer',
    'cloud-asia/pod-web-1',
    'paris-blade-1/nginx',
    'paris-blade-1/edge-agent',
    'paris-worker-1/network-agent',
    'dns/powerdns',
  ];
  const cluster: FaultedCluster = {
    datacentre: paris,
    blocks: [{ cidr: '10.10.1.0/26', node: 'paris-worker-1' }],
    inputLosses: [{ mode: 'empty', what: '', says: 'stale' }],
    loseInput: async (mode) => void done.push(`input ${mode}`),
    mendInput: async () => void done.push('input mended'),
    nodeLost: async (node) => void done.push(`${node} lost`),
    nodeBack: async (node) => void done.push(`${node} back`),
  };
  const lab: FaultPort = {
    world: { datacentres: [paris], regions: [asia], users: [{ name: 'users-asia', transit: 'transit', clients: [] }] },
    links: [
      { a: end('paris-tor', 'transit'), b: end('transit', 'paris-tor') },
      { a: end('paris-worker-1', 'eth0'), b: end('paris-tor', 'worker-1') },
    ],
    clusters: new Map([['paris', cluster]]),
    network: {
      async ip(namespace, ...words) {
        if (words.includes('show')) return JSON.stringify([{ dst: '10.10.1.0/26', gateway: '10.1.0.11' }]);
        done.push(`${namespace} ${words.slice(2).join(' ')}`);
        return '';
      },
    },
    supervisor: {
      names: (filter) => services.filter((name) => filter({ name, namespace: '', command: '', arguments: [] })),
      kill: (name, signal) => void done.push(`kill ${[name, signal].filter((word) => word !== undefined).join(' ')}`),
      hold: async (name) => void done.push(`hold ${name}`),
      release: (name) => void done.push(`release ${name}`),
      start({ name }) {
        done.push(`start ${name}`);
        return new ChildProcess();
      },
      remove: async (name) => void done.push(`remove ${name}`),
    },
    crowdOf: (users) => ({ name: `${users}/crowd`, namespace: users, command: '', arguments: [] }),
    birdSocket: (router) => join(folder, `${router}.ctl`),
    platformFolder: folder,
    clock: new FakeClock(0),
  };
  return { lab, done };
}

describe('the catalogue', () => {
  it('has every fault that has a name, sorted', () => {
    expect(faults.map(({ name }) => name)).toEqual(Object.keys(faultSummaries).toSorted());
  });

  it.each([
    ['agents-killed', ['kill paris-blade-1/edge-agent', 'kill paris-worker-1/network-agent'], []],
    ['cloud-pods-lost', ['hold cloud-asia/pod-web-1'], ['release cloud-asia/pod-web-1']],
    ['flash-crowd', ['start users-asia/crowd'], ['remove users-asia/crowd']],
    ['input-lost', ['input empty'], ['input mended']],
    ['nginx-killed', ['kill paris-blade-1/nginx'], []],
    ['program-frozen', ['kill paris-blade-1/nginx SIGSTOP'], ['kill paris-blade-1/nginx SIGCONT']],
    ['program-stopped', ['hold paris-blade-1/nginx'], ['release paris-blade-1/nginx']],
    ['uplink-cut', ['transit paris-tor down'], ['transit paris-tor up']],
    [
      'worker-killed',
      ['paris-tor worker-1 down', 'hold paris-worker-1/network-agent', 'paris-worker-1 lost'],
      ['paris-tor worker-1 up', 'release paris-worker-1/network-agent', 'paris-worker-1 back'],
    ],
  ])('%s does what it says to its first target, and heals it', async (name, begins, heals) => {
    const { lab, done } = smallLab();
    const board = new FaultBoard(lab);
    await board.begin(name);
    expect(done.splice(0)).toEqual(begins);
    expect(board.active).toMatchObject([{ name, sinceMs: 0 }]);
    await board.heal();
    expect(done).toEqual(heals);
    expect(board.active).toEqual([]);
  });

  it('writes a Drain object of an hour, which healing takes away', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tideline-fault-'));
    try {
      const board = new FaultBoard(smallLab(folder).lab);
      await board.begin('blade-drained', 'paris-blade-1');
      expect(await readdir(folder)).toEqual(['drain-paris-blade-1.yaml']);
      const text = await readFile(join(folder, 'drain-paris-blade-1.yaml'), 'utf8');
      expect(text).toContain('target: { kind: Blade, name: paris-blade-1 }');
      expect(text).toContain('expires: 1970-01-01T01:00:00.000Z');
      await board.heal('blade-drained');
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

it('shuts the session of a server at its rack router, and opens it again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-fault-'));
  const heard: string[] = [];
  const bird = createServer((socket) => {
    socket.write('0001 BIRD ready.\n');
    socket.on('data', (data) => {
      heard.push(String(data).trim());
      socket.end('0009-paris_worker_1: done\n0000 \n');
    });
  });
  await new Promise<void>((resolve) => bird.listen(join(folder, 'paris-tor.ctl'), resolve));
  try {
    const board = new FaultBoard(smallLab(folder).lab);
    await board.begin('session-shut', 'paris-tor/paris-worker-1');
    await board.heal('session-shut');
    expect(heard).toEqual(['disable paris_worker_1', 'enable paris_worker_1']);
  } finally {
    bird.close();
    await rm(folder, { recursive: true });
  }
});

describe('the board', () => {
  it.each([
    ['earthquake', undefined, /there is no fault earthquake/],
    ['blade-killed', 'tokyo-blade-1', /blade-killed cannot hit tokyo-blade-1/],
    ['control-plane-lost', undefined, /control-plane-lost cannot hit anything here/],
  ])('refuses %s %s', async (name, target, message) => {
    const { lab, done } = smallLab();
    await expect(new FaultBoard(lab).begin(name, target)).rejects.toThrow(message);
    expect(done).toEqual([]);
  });
});
