import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { clientOf, testEmulator } from '../../support/steering/emulator.ts';
import { installOctodns, octodnsConfig, octodnsEnvironment, octodnsSync } from '../../support/steering/octodns-sync.ts';
import { type Bench, figure, type Row } from '../support/row.ts';
import { fill, type Measured, measure, otherRecords } from './measured.ts';
import { hosts, simplePolicy, withPlatform, zone } from './platform.ts';

const root = join(import.meta.dirname, '../../..');
const tideline = join(root, 'bin/tideline');
const others = 9800;
const hostCount = 10;

/**
 * Measures Tideline beside octoDNS with its Route 53 provider on one zone of the emulator: 9,800 records of others, and ten hosts that are
 * sent to three clusters by country, with failover. octoDNS keeps the whole zone in its files and so reads these as well; Tideline leaves alone what is
 * not its own. The emulator answers without limits of its rate; requests are counted on the way. Each tool has an emulator of its own.
 */
export const steeringOctodns: Bench = {
  name: 'steering-octodns',
  prepare: installOctodns,
  async run(reportProgress) {
    const peer = await withOctodnsFolder((config) =>
      threeRuns(reportProgress, 'octoDNS', (url, isApply) => ({
        command: octodnsSync,
        words: ['--config-file', config, '--force', '--quiet', ...(isApply ? ['--doit'] : [])],
        env: octodnsEnvironment(url),
      })),
    );
    const ours = await withPlatform([simplePolicy('video', hosts(hostCount))], (folder) =>
      threeRuns(reportProgress, 'tideline', (url, isApply) => ({
        command: tideline,
        words: [
          'steering',
          ...(isApply
            ? ['apply', '--plan', `${folder}/steering.plan`, '--no-ask', '--approve-down', 'c0', 'c1', 'c2']
            : ['plan', '--out', `${folder}/steering.plan`]),
          '--route53-endpoint',
          url,
          folder,
        ],
        env: { AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' },
      })),
    );
    return [
      ...rows('plan of ten new hosts beside 9,800 records of others', ours.first, peer.first),
      ...rows('apply of it', ours.apply, peer.apply),
      ...rows('plan again, with nothing to change', ours.again, peer.again),
    ];
  },
};

interface Counted extends Measured {
  readonly requests: number;
}
type Runs = Readonly<Record<'first' | 'apply' | 'again', Counted>>;
interface Invocation {
  readonly command: string;
  readonly words: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** A plan, an apply and a plan again in a zone of its own; of the plans the median of three. */
async function threeRuns(
  reportProgress: (doing: string) => void,
  who: string,
  invocation: (url: string, isApply: boolean) => Invocation,
): Promise<Runs> {
  reportProgress(`${who}: filling a zone with ${others} records`);
  const emulator = await testEmulator({ insyncDelayMs: 0, countryOf: () => undefined });
  const gate = await countRequests(emulator.apiUrl);
  try {
    const client = clientOf(emulator);
    await fill(client, others);
    client.destroy();
    const once = async (isApply: boolean): Promise<Counted> => {
      const before = gate.requests();
      const { command, words, env } = invocation(gate.url, isApply);
      const measured = await measure(command, words, env);
      return { ...measured, requests: gate.requests() - before };
    };
    const median = async (): Promise<Counted> => {
      const all = [await once(false), await once(false), await once(false)];
      return all.toSorted((a, b) => a.processorSeconds - b.processorSeconds)[1] as Counted;
    };
    reportProgress(`${who}: plan, apply, plan`);
    return { first: await median(), apply: await once(true), again: await median() };
  } finally {
    await gate.close();
    await emulator.stop();
  }
}

function rows(what: string, ours: Counted, peer: Counted): readonly Row[] {
  const row = (kind: string, a: number, b: number, unit: string): Row => ({
    what: `${what}: ${kind}`,
    measured: figure(a, unit),
    peer: figure(b, unit),
    ratio: a / b,
  });
  return [
    row('time', ours.seconds, peer.seconds, 's'),
    row('processor time', ours.processorSeconds, peer.processorSeconds, 's'),
    row('requests', ours.requests, peer.requests, ''),
  ];
}

/** Hands every request on to the emulator and counts it. */
async function countRequests(
  target: string,
): Promise<{ readonly url: string; requests(): number; close(): Promise<void> }> {
  let requests = 0;
  const server = createServer((incoming, outgoing) => {
    requests += 1;
    const onward = request(
      `${target}${incoming.url}`,
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.once('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The files of octoDNS for the zone: the records of others, and the hosts with the answers of `simplePolicy`. */
async function withOctodnsFolder<T>(use: (config: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp('/tmp/tideline-octodns-');
  const plain = otherRecords(others).map(({ name, address }) => [
    name.slice(0, -1 - zone.length),
    { type: 'A', ttl: 60, value: address },
  ]);
  const pool = (address: string) => ({ values: [{ value: address }] });
  // A pool that fails is followed by `value`. A named fallback would need one alias more than the emulator accepts.
  const host = {
    type: 'A',
    ttl: 30,
    value: '198.51.100.9',
    dynamic: {
      pools: { c0: pool('198.51.100.1'), c1: pool('198.51.100.5'), c2: pool('198.51.100.9') },
      rules: [{ geos: ['EU-FR'], pool: 'c0' }, { geos: ['NA-US'], pool: 'c1' }, { pool: 'c2' }],
    },
    octodns: {
      healthcheck: { protocol: 'HTTP', port: 80, path: '/health' },
      route53: { healthcheck: { measure_latency: false } },
    },
  };
  const dynamic = hosts(hostCount).map((name) => [name.slice(0, -1 - zone.length), host]);
  try {
    const records = Object.fromEntries([...plain, ...dynamic]) as Readonly<Record<string, object>>;
    await writeFile(join(folder, `${zone}.yaml`), stringify(records, { aliasDuplicateObjects: false }));
    await writeFile(join(folder, 'config.yaml'), stringify(octodnsConfig(folder, zone)));
    return await use(join(folder, 'config.yaml'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
