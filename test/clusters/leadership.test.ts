import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import type { PublisherStatus } from '../../src/planes/edge/publish/publisher.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { ingressAddresses } from '../support/clusters/ingress-status.ts';
import { promised } from '../support/promised.ts';

const root = join(import.meta.dirname, '../..');
const names = ['paris-blade-1', 'paris-blade-2', 'paris-blade-3'];

/** A process that is a candidate in the place of one blade. */
class Candidate {
  readonly name: string;
  readonly #child: ChildProcess;
  #last: PublisherStatus | undefined;
  #heardMs = -Infinity;

  constructor(name: string, kubeconfig: string) {
    this.name = name;
    const program = join(root, 'test/support/clusters/publishing.ts');
    this.#child = spawn(process.execPath, [program, kubeconfig, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    if (this.#child.stdout === null) throw new Error('no output');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#last = JSON.parse(line) as PublisherStatus;
      this.#heardMs = performance.now();
    });
  }

  /** Whether its last status says that it leads; a process that has been silent for a second does not count. */
  get leads(): boolean {
    return this.#last?.leading === true && performance.now() - this.#heardMs < 1000;
  }

  get status(): PublisherStatus | undefined {
    return this.#last;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    await exit;
    clearTimeout(timer);
  }
}

/** The times of the README of src/kube/lease. */
const leaseMs = 15_000;
const retryMs = 2000;

let plane: ControlPlane;
let candidates: Candidate[] = [];

const leaders = (): readonly Candidate[] => candidates.filter(({ leads }) => leads);

/** At the start there is no Lease to wait for; after the server was away an old one may have to run out. */
async function leader(other?: Candidate, timeoutMs = promised(leaseMs + retryMs)): Promise<Candidate> {
  return eventually(
    () => {
      const [first, second] = leaders();
      return first !== undefined && second === undefined && first !== other && first;
    },
    { timeoutMs },
  );
}

async function publish(name: string): Promise<void> {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  await plane.apply({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'video' },
    spec: {
      ingressClassName: 'tideline',
      rules: [{ host: `${name}.video.example`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  });
  await eventually(async () => (await ingressAddresses(plane, name)).includes('192.0.2.10'));
}

/** The users who wrote the status of an Ingress. */
async function writersOf(name: string): Promise<readonly string[]> {
  const writes = await plane.audit((event) => event.subresource === 'status' && event.name === name);
  return [...new Set(writes.map(({ user }) => user.replace('tideline:edge:', '')))];
}

beforeAll(async () => {
  plane = await startTestControlPlane();
  await plane.kubectl(['create', 'namespace', 'video']);
  await plane.kubectl(['create', 'namespace', 'tideline-system']);
  const rights = parseAllDocuments(await readFile(join(root, 'deploy/rbac/edge.yaml'), 'utf8'));
  await plane.apply(...rights.map((document) => document.toJS() as object));
  for (const name of names) {
    const kubeconfig = await plane.kubeconfigFor({ user: `tideline:edge:${name}`, groups: ['tideline:edge'] });
    candidates.push(new Candidate(name, kubeconfig));
  }
});

afterAll(async () => {
  await Promise.all(candidates.map((candidate) => candidate.end()));
  await plane?.stop();
});

describe('three blades', () => {
  it('have one writer', async () => {
    const only = await leader();
    await publish('first');
    expect(await writersOf('first')).toEqual([only.name]);
  });

  it('have another writer when the one stops, and it does not write when it goes on', async () => {
    const stopped = await leader();
    stopped.signal('SIGSTOP');
    const next = await leader(stopped, promised(leaseMs + retryMs));
    await publish('second');
    expect(await writersOf('second')).toEqual([next.name]);
    stopped.signal('SIGCONT');
    await eventually(() => stopped.status?.holder === next.status?.holder && !stopped.leads);
    await publish('third');
    expect(await writersOf('third')).toEqual([next.name]);
  });

  it('have a writer again after the API server was away', async () => {
    await leader();
    await plane.end('kube-apiserver');
    await eventually(() => leaders().length === 0);
    await plane.start('kube-apiserver');
    await leader();
    await publish('fourth');
    expect(await writersOf('fourth')).toHaveLength(1);
  });

  it('have the next writer at once after a planned stop', async () => {
    const before = await leader();
    await before.end();
    const beganMs = performance.now();
    await leader(before);
    const tookMs = performance.now() - beganMs;
    console.log(`the next leader after a planned stop: ${Math.round(tookMs)} ms`);
    expect(tookMs).toBeLessThan(promised(retryMs));
    candidates = candidates.filter((candidate) => candidate !== before);
    await publish('fifth');
  });

  it('wrote each status once', async () => {
    const writes = await plane.audit(
      ({ subresource, resource, code }) => resource === 'ingresses' && subresource === 'status' && code === 200,
    );
    expect(writes.map(({ name }) => name).toSorted()).toEqual(['fifth', 'first', 'fourth', 'second', 'third']);
    const lease = await plane.kubectl(
      'get lease -n tideline-system tideline-edge-paris-edge -o jsonpath={.spec.leaseTransitions}'.split(' '),
    );
    expect(Number(lease)).toBeGreaterThanOrEqual(2);
  });
});
