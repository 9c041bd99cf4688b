import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Compiled, compile } from '../../../src/planes/edge/compile/compile.ts';
import { selfSigned } from '../../../src/planes/edge/nginx/certificate.ts';
import type { Endpoint } from '../../../src/planes/edge/table.ts';
import { createCertificateReader } from '../../../src/planes/edge/tables/certificate.ts';
import { secretData } from '../../support/certificates.ts';
import { stateFromObjects } from '../../support/cluster-state.ts';
import { platformForTests } from '../../support/edge-platform.ts';
import { poolForTests } from '../../support/edge-pool.ts';
import { chain, fillers } from '../../support/greedy.ts';
import { promised } from '../../support/promised.ts';
import { eventually, World } from './world.ts';

type Raw = Readonly<Record<string, unknown>>;

let world: World;
let pod: Endpoint;
/** A certificate and its key, and certificates to fill a chain with: fifteen of 22 kB, and fifteen of 16 kB. */
let leaf: { readonly certificate: string; readonly key: string };
let long: readonly string[];
let short: readonly string[];

beforeAll(async () => {
  world = await World.create({ workers: 1 });
  pod = await world.pod('a', 1);
  leaf = selfSigned('*.greedy.example', Date.now());
  long = await fillers(15_500);
  short = await fillers(11_000);
}, 120_000);
afterAll(() => world.destroy());

function ingress(namespace: string, name: string, ageSeconds: number, host: string): readonly Raw[] {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, namespace, creationTimestamp: new Date(1_700_000_000_000 + ageSeconds * 1000).toISOString() },
      spec: {
        ingressClassName: 'tideline',
        tls: [{ hosts: [host], secretName: name }],
        rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
      },
    },
  ];
}

function secret(namespace: string, name: string, certificates: string): Raw {
  const data = secretData(certificates, leaf.key);
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name, namespace }, data };
}

/** The honest tenant, whose Ingress is the oldest or the youngest of all. */
function honest(ageSeconds: number): readonly Raw[] {
  const pair = selfSigned('www.honest.example', Date.now());
  const data = secretData(pair.certificate, pair.key);
  const metadata = { name: 'web', namespace: 'honest' };
  return [
    ...ingress('honest', 'honest', ageSeconds, 'www.honest.example'),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'honest', namespace: 'honest' },
      data,
    },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'web' } },
      ports: [{ port: pod.port }],
      endpoints: [{ addresses: [pod.address] }],
    },
  ];
}

function greedy(count: number, chainOf: (at: number) => string): readonly Raw[] {
  return Array.from({ length: count }, (_, at) => [
    ...ingress('greedy', `s${at}`, 100 + at, `h${at}.greedy.example`),
    secret('greedy', `s${at}`, chainOf(at)),
  ]).flat();
}

const readCertificate = createCertificateReader();

function compiled(objects: readonly Raw[], limits: object): Compiled {
  const pool = poolForTests({ limits, endpoints: { allow: 'anywhere' }, https: { redirect: false } });
  return compile({
    state: stateFromObjects(objects),
    platform: platformForTests(),
    pool,
    readCertificate,
    nowMs: Date.now(),
  });
}

function reasons({ conditions }: Compiled, namespace: string): readonly string[] {
  const own = conditions.filter(({ object }) => object.startsWith(`Ingress/${namespace}/`));
  return [...new Set(own.flatMap(({ problems }) => problems.map(({ reason }) => reason)))].filter(
    (reason) => reason !== 'ServiceMissing' && reason !== 'CertificateHostMismatch',
  );
}

/** Asks the honest tenant again and again while something happens; resolves with every answer that is not a 200. */
async function whileAsking<Result>(
  action: () => Promise<Result>,
): Promise<{ result: Result; asked: number; failed: unknown[] }> {
  let done = false;
  let asked = 0;
  const failed: unknown[] = [];
  const asking = (async () => {
    while (!done) {
      asked += 1;
      const { status } = await world.ask({ host: 'www.honest.example' });
      if (status !== 200) failed.push(status);
    }
  })();
  try {
    return { result: await action(), asked, failed };
  } finally {
    done = true;
    await asking;
  }
}

describe('a tenant with 660 Secrets of 330 kB', () => {
  it('has them refused by name; nginx takes the table, and the other tenant is served throughout', async () => {
    await world.plane.apply(compiled(honest(0), {}).table);
    await eventually(
      'the honest tenant is served',
      async () => (await world.ask({ host: 'www.honest.example' })).status === 200,
    );
    // Younger than all of them: nothing but the budgets keeps its place for it.
    const objects = [...honest(10_000), ...greedy(660, (at) => chain(leaf, at, long, 15))];
    expect(chain(leaf, 0, long, 15).length).toBeGreaterThan(300_000);
    const all = compiled(objects, {});
    expect(reasons(all, 'greedy')).toEqual(['ObjectBudget']);
    expect(reasons(all, 'honest')).toEqual([]);
    const { failed, asked } = await whileAsking(() => world.plane.apply(all.table));
    expect(failed).toEqual([]);
    expect(asked).toBeGreaterThan(0);
    expect((await world.askTls({ host: 'www.honest.example', serverName: 'www.honest.example' })).certificate).toBe(
      'www.honest.example',
    );
  });

  it('and a pool that allows them anything: the table fits the memory of nginx, also when all of it is replaced at once', async () => {
    const anything = { certificateKiB: 10_000_000 };
    for (const salt of [0, 1900]) {
      const all = compiled([...honest(0), ...greedy(1900, (at) => chain(leaf, at + salt, short, 3))], {
        namespace: { ...anything, memoryPercent: 100 },
      });
      expect(reasons(all, 'greedy')).toEqual(['TableFull']);
      // A new agent knows nothing of what nginx holds, and pushes everything.
      await world.plane.stop();
      world.startDriver();
      let longestMs = 0;
      let moved = performance.now();
      const watch = setInterval(() => {
        const last = world.plane.owingSinceMs();
        longestMs = Math.max(longestMs, performance.now() - Math.max(last, moved));
        moved = Math.max(last, moved);
      }, 20);
      const { failed, asked } = await whileAsking(() => world.plane.apply(all.table));
      clearInterval(watch);
      expect(failed).toEqual([]);
      expect(asked).toBeGreaterThan(0);
      // What makes a blade unfit after ten seconds.
      expect(longestMs).toBeLessThan(promised(5000));
      expect(world.plane.status()?.certificates).toBe(all.table.certificates.length);
    }
  }, 300_000);
});

describe('a tenant that fills the memory for hosts', () => {
  /** Hosts that an allocator of memory rounds up in every way: with lists, with many paths, and with one. */
  function hosts(salt: number): readonly Raw[] {
    const list = (at: number): string =>
      Array.from({ length: 4096 }, (_, one) => `2001:db8:${(salt + at).toString(16)}:${one.toString(16)}::1`).join();
    const one = (at: number): Raw => {
      const paths = at % 40 === 0 ? 600 : at % 7 === 0 ? 20 : 1;
      const backend = { service: { name: `s${at}`, port: { number: 80 } } };
      return {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: {
          name: `h${at}`,
          namespace: 'greedy',
          creationTimestamp: new Date(1_800_000_000_000 + at * 1000).toISOString(),
          annotations: at % 100 === 0 ? { 'nginx.ingress.kubernetes.io/whitelist-source-range': list(at) } : {},
        },
        spec: {
          ingressClassName: 'tideline',
          rules: [
            {
              host: `h${at}-${salt}.greedy.example`,
              http: {
                paths: Array.from({ length: paths }, (_, path) => ({
                  path: `/${salt}/${path}/${'é"'.repeat((at * 7 + path) % 90)}`,
                  pathType: 'Prefix',
                  backend,
                })),
              },
            },
          ],
        },
      };
    };
    return Array.from({ length: 14_000 }, (_, at) => one(at));
  }

  it('leaves the table within the memory of nginx, also when all of it is replaced at once', async () => {
    await world.plane.apply(compiled(honest(0), {}).table);
    await eventually(
      'the honest tenant is served',
      async () => (await world.ask({ host: 'www.honest.example' })).status === 200,
    );
    const anything = { routes: 10_000_000 };
    for (const salt of [1, 20_000]) {
      const all = compiled([...honest(0), ...hosts(salt)], {
        namespace: { ...anything, memoryPercent: 100 },
        object: anything,
      });
      expect(reasons(all, 'greedy')).toContain('TableFull');
      await world.plane.stop();
      world.startDriver();
      const { failed } = await whileAsking(() => world.plane.apply(all.table));
      expect(failed).toEqual([]);
      expect(world.plane.status()?.hosts).toBe(all.table.hosts.length);
    }
  }, 300_000);
});
