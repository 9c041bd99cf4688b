import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import type { Emulator } from '../../lab/emulators/route53/emulator.ts';
import { formatRecord } from '../../src/answers/record.ts';
import { route53Reader } from '../../src/planes/steering/providers/route53/read.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { objectsOf } from '../support/clusters/pool-definition.ts';
import { compileCache } from '../support/compile-cache.ts';
import { promised } from '../support/promised.ts';
import { AgentProcess } from '../support/steering/agent-process.ts';
import { clientOf, createZone, testEmulator, timing } from '../support/steering/emulator.ts';
import { Vips } from '../support/steering/world.ts';

/** Two steering agents with a Lease in a real API, of which one is stopped while its write is on the way to the provider. */
const zone = 'video.example';
const vips = new Vips();
let plane: ControlPlane;
let emulator: Emulator;
let folder: string;
const platform = (): string => join(folder, 'platform');

/** What an agent asks of the provider, on its way there. */
class Way {
  readonly server: Server;
  /** The writes of records that the provider answered, by the status of the answer. */
  readonly answers: number[] = [];
  /** While it is set, writes of records are held back here. */
  holds = false;
  #held: (() => void) | undefined;

  constructor() {
    this.server = createServer((incoming, outgoing) => {
      if (incoming.method === 'POST' && incoming.url?.includes('/rrset') === true) this.#write(incoming, outgoing);
      else this.#pass(incoming, outgoing);
    });
  }

  get hasHeld(): boolean {
    return this.#held !== undefined;
  }

  release(): void {
    this.holds = false;
    this.#held?.();
  }

  #write(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const pass = (): void => this.#pass(incoming, outgoing, (status) => this.answers.push(status));
    if (this.holds) this.#held = pass;
    else pass();
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse, note: (status: number) => void = () => {}): void {
    const { method, headers, url = '/' } = incoming;
    const onward = request(new URL(url, emulator.apiUrl), { method, headers }, (answer) => {
      note(answer.statusCode ?? 0);
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  }
}

class LeaseAgent {
  readonly name: string;
  readonly way = new Way();
  #process: AgentProcess | undefined;

  constructor(name: string) {
    this.name = name;
  }

  async start(): Promise<AgentProcess> {
    await new Promise<void>((done) => this.way.server.listen(0, '127.0.0.1', done));
    const { port } = this.way.server.address() as AddressInfo;
    const { name } = this;
    const kubeconfig = await plane.kubeconfigFor({ user: `tideline:steering:${name}`, groups: ['tideline:steering'] });
    const source = ['--platform', platform(), '--cluster', 'paris', '--kubeconfig', kubeconfig];
    const provider = ['--provider', 'route53', '--route53-endpoint', `http://127.0.0.1:${port}`, '--no-ask'];
    const options = [...source, ...provider, '--run-dir', join(folder, name), '--mode', 'automatic'];
    this.#process = new AgentProcess({ name, program: 'src/cli/main.ts', compileCache, options });
    return this.#process;
  }

  async end(): Promise<void> {
    await this.#process?.end();
    this.way.server.closeAllConnections();
    this.way.server.close();
  }
}

const ways = [new LeaseAgent('ops-1'), new LeaseAgent('ops-2')] as const;

beforeAll(async () => {
  await vips.start();
  emulator = await testEmulator({ timeCompression: 500, insyncDelayMs: 10 });
  const client = clientOf(emulator);
  await createZone(client, zone);
  client.destroy();
  folder = await mkdtemp(join(tmpdir(), 'tideline-steering-lease-'));
  await cp('examples/hybrid', platform(), { recursive: true });
  const file = join(platform(), 'traffic.yaml');
  const policy = parse(await readFile(file, 'utf8')) as { spec: Record<string, unknown> };
  policy.spec['guard'] = { maxTrafficShare: 1 };
  await writeFile(file, stringify(policy));
  plane = await startTestControlPlane();
  await plane.kubectl(['create', 'namespace', 'tideline-system']);
  await plane.apply(...(await objectsOf('deploy/rbac/steering.yaml')));
  await plane.kubectl(['apply', '--server-side', '-f', 'deploy/crds']);
}, 240_000);

afterAll(async () => {
  await Promise.all(ways.map((agent) => agent.end()));
  await plane?.stop();
  await emulator?.stop();
  await vips.stop();
  await rm(folder, { recursive: true, force: true });
});

async function records(): Promise<readonly string[]> {
  const client = clientOf(emulator);
  const { records: all } = await route53Reader(client, timing).read(zone);
  client.destroy();
  return all.map(formatRecord).toSorted();
}

it('one that is stopped in the middle of a write loses the lead, and writes nothing when it goes on', {
  timeout: 360_000,
}, async () => {
  const [{ way }] = ways;
  const first = await ways[0].start();
  await first.comes(/^leads inForce 1$/);
  const second = await ways[1].start();
  await second.comes(/^stands by standby/);

  way.holds = true;
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const spec = { target: { kind: 'Cluster', name: 'paris' }, reason: 'works', expires };
  const drain = { apiVersion: 'tideline.dev/v1alpha1', kind: 'Drain', metadata: { name: 'works' }, spec };
  await writeFile(join(platform(), 'drain.yaml'), stringify(drain));
  await eventually(() => way.hasHeld, { timeoutMs: promised(60_000) });
  first.signal('SIGSTOP');
  await second.comes(/^leads inForce 2$/, promised(120_000));
  const whole = await records();

  // The write that was on the way reaches the provider after that of the other agent.
  way.release();
  await eventually(() => way.answers.length === 2, { timeoutMs: promised(10_000) });
  expect(way.answers[1]).toBe(400);
  expect(await records()).toEqual(whole);

  first.signal('SIGCONT');
  await first.comes(/^stands by standby/);
  await second.comes(/^leads inForce 2$/);
  expect(way.answers).toEqual([200, 400]);
  expect(await records()).toEqual(whole);

  const asked = await plane.audit(({ groups }) => groups.includes('tideline:steering'));
  expect(asked.filter(({ decision }) => decision === 'forbid')).toEqual([]);
  const leases = asked.filter(({ resource, code }) => resource === 'leases' && code !== undefined && code < 300);
  expect(new Set(leases.map(({ user }) => user))).toEqual(
    new Set(['tideline:steering:ops-1', 'tideline:steering:ops-2']),
  );
});
