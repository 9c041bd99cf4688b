import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../../../src/planes/edge/nginx/certificate.ts';
import { watchRoutes } from '../../support/daemons/route-monitor.ts';
import { chain, fillers, ingressOf, listOf, type Pair, serviceOf, tlsSecret } from '../../support/greedy.ts';
import { ask, Load, podOf } from './client.ts';
import { type Blade, eventually, vip, World } from './world.ts';

// Two whole blades and a router. One tenant takes all that it can, and changes it all the time; the other asks, and changes a little.
let world: World;
let blades: readonly Blade[];
let leaf: Pair;
let long: readonly string[];

const host = 'www.honest.example';
const honest = (...more: readonly string[]) => [
  ...[host, ...more].map((name) =>
    ingressOf({ namespace: 'honest', name, hosts: [name], secretName: name, age: 900_000 }),
  ),
  ...[host, ...more].map((name) => {
    const { certificate, key } = selfSigned(name, Date.now());
    return tlsSecret('honest', name, certificate, key);
  }),
];

beforeAll(async () => {
  leaf = selfSigned('*.greedy.example', Date.now());
  long = await fillers(15_500);
  world = await World.create({
    'honest.yaml': honest(),
    'endpoints.yaml': serviceOf('honest', 'web', ['10.10.1.5']),
  });
  blades = world.blades;
  await world.pod('first', 5);
  await world.pod('second', 6);
  await eventually('both blades are fit and routed to', async () => {
    const states = await Promise.all(blades.map((blade) => blade.status()));
    return states.every(({ vips: [one] }) => one?.fit === true && one.announced) && (await world.routed()).length === 2;
  });
}, 180_000);
afterAll(() => world?.destroy());

/** What `deploy/` gives the unit of the agent. */
const mostMiB = 768;
/** A change of the other tenant waits behind what the greedy one writes; on two busy cores 20 s were seen. */
const slowestMs = 60_000;

const secretsAFile = 20;
const secrets = 100;

/** A part of the Secrets with chains of 330 kB and their Ingresses. */
const secretFile = (file: number, salt: number): string =>
  listOf(
    Array.from({ length: secretsAFile }, (_, index) => {
      const at = file * secretsAFile + index;
      const name = `s${at}`;
      return [
        tlsSecret('greedy', name, chain(leaf, at + salt, long, 15), leaf.key),
        ingressOf({ namespace: 'greedy', name, hosts: [`h${at}.greedy.example`], secretName: name, age: 100 + at }),
      ];
    }).flat(),
  );

const numbered = (count: number, text: (at: number) => string): readonly string[] =>
  Array.from({ length: count }, (_, at) => text(at));

/** Ten Services of 2,000 endpoints each, another set for each salt. */
const endpointFile = (salt: number): string =>
  listOf(
    numbered(10, (at) => `many${at}`).flatMap((name, at) =>
      serviceOf('greedy', name, numbered(2000, (end) => `10.10.${16 + at * 8 + (end >> 8)}.${end & 255}`).slice(salt)),
    ),
  );

/** One Ingress with 5,000 paths, one hundred with fifty hosts each, and one with 20,000 hosts. */
const wideFile = (salt: number): string =>
  listOf([
    ...numbered(10, (at) => `many${at}`).map((service, at) =>
      ingressOf({ namespace: 'greedy', name: service, hosts: [`many${at}.greedy.example`], service, age: at }),
    ),
    ingressOf({
      namespace: 'greedy',
      name: 'paths',
      hosts: ['paths.greedy.example'],
      paths: numbered(5001, (at) => `/p${at}-${salt}`),
      age: 10,
    }),
    ...numbered(100, (at) => `wide${at}`).map((name, at) =>
      ingressOf({
        namespace: 'greedy',
        name,
        hosts: numbered(50, (index) => `${name}-${index}-${salt}.greedy.example`),
        age: 20 + at,
      }),
    ),
    ingressOf({
      namespace: 'greedy',
      name: 'hosts',
      hosts: numbered(20_000, (at) => `g${at}.greedy.example`),
      age: 200,
    }),
  ]);

const junkFile = (salt: number): string => {
  const other = selfSigned('bad.greedy.example', Date.now());
  const names = numbered(100, (at) => `junk${at}`);
  return listOf([
    ...names.map((name) =>
      ingressOf({ namespace: 'greedy', name, hosts: [`${name}.greedy.example`], secretName: name }),
    ),
    ...names.map((name, at) => tlsSecret('greedy', name, at % 2 === 0 ? `not ${salt}` : leaf.certificate, other.key)),
    ...numbered(20, (at) => `note${at}`).map((name) =>
      ingressOf({
        namespace: 'greedy',
        name,
        hosts: [`${name}.greedy.example`],
        annotations: { note: `${salt}`.repeat(250_000), 'nginx.ingress.kubernetes.io/auth-type': 'x'.repeat(50_000) },
      }),
    ),
  ]);
};

interface Watched {
  /** When a blade said that it was unfit, or did not announce its VIP. */
  readonly faults: readonly string[];
  readonly mostMiB: number;
  /** How often a blade said how it is; while its thread is busy it does not say so in time. */
  readonly looks: number;
}

/** Looks at both blades four times a second until the function is called. */
function watchBlades(): () => Promise<Watched> {
  const faults: string[] = [];
  let [done, mostMiB, looks] = [false, 0, 0];
  const look = async (blade: Blade): Promise<void> => {
    const memory = await readFile(`/proc/${blade.agent.pid}/status`, 'utf8');
    mostMiB = Math.max(mostMiB, Number(/VmRSS:\s+(\d+) kB/.exec(memory)?.[1]) / 1024);
    const { vips } = await blade.status();
    looks += 1;
    for (const { fit, announced, reasons } of vips)
      if (!fit || !announced || reasons.length > 0) faults.push(`${blade.name}: ${fit} ${announced} ${reasons.join()}`);
  };
  const watching = (async () => {
    while (!done) {
      await Promise.all(blades.map((blade) => look(blade).catch(() => undefined)));
      await pause(250);
    }
  })();
  return async () => {
    done = true;
    await watching;
    return { faults, mostMiB, looks };
  };
}

describe('a tenant that takes all it can and changes it all the time', () => {
  it('makes no blade unfit, fails no request of another tenant, and delays its changes by a minute at most', async () => {
    const routes = await watchRoutes(world.network, 'tor');
    const stopWatching = watchBlades();
    const load = new Load(host);
    for (let file = 0; file < secrets / secretsAFile; file += 1)
      await world.write(`secrets${file}.json`, secretFile(file, 0));
    await world.write('wide.json', wideFile(0));
    await world.write('endpoints.json', endpointFile(0));
    await world.write('junk.json', junkFile(0));
    let salt = 0;
    let churning = true;
    const churn = (async () => {
      while (churning) {
        salt += 1;
        const file = salt % (secrets / secretsAFile);
        await world.write(`secrets${file}.json`, secretFile(file, salt));
        await world.write('endpoints.json', endpointFile(salt % 7));
        if (salt % 5 === 0) await world.write('wide.json', wideFile(salt));
        if (salt % 5 === 2) await world.write('junk.json', junkFile(salt));
        await pause(500);
      }
    })();
    const until = (what: string, check: () => Promise<boolean>) => eventually(what, check, { timeoutMs: slowestMs });
    for (let round = 0; round < 4; round += 1) {
      const name = `new${round}.honest.example`;
      await world.write('honest.yaml', honest(name));
      await until('a new host is served', async () => (await ask(name, '/', { tls: true })).certificate === name);
      const [pod, index] = round % 2 === 0 ? ['second', 6] : ['first', 5];
      await world.write('endpoints.yaml', serviceOf('honest', 'web', [`10.10.1.${index}`]));
      await until('a new endpoint is used', async () => (await podOf(host)) === pod);
    }
    churning = false;
    await churn;
    await eventually('the statuses are settled', async () => {
      const states = await Promise.all(blades.map((blade) => blade.status()));
      return states.every(({ source, conditions }) => source.phase === 'live' && conditions.accepted > 0);
    });
    const { requests, failures } = await load.stop();
    const watched = await stopWatching();
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThan(100);
    expect(watched.faults).toEqual([]);
    expect(watched.looks).toBeGreaterThan(20);
    expect((await routes()).filter(({ text }) => text.includes(vip))).toEqual([]);
    expect(watched.mostMiB).toBeLessThan(mostMiB);
    const status = await blades[0]?.status();
    const refusals = status?.refused.flatMap(({ problems }) => problems.map(({ reason }) => reason));
    expect([...new Set(refusals)]).toEqual(
      expect.arrayContaining(['ObjectBudget', 'CertificateUnreadable', 'CertificateKeyMismatch']),
    );
  }, 240_000);
});
