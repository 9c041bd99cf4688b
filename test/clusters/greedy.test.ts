import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { runFiles } from '../../src/model/contract.ts';
import { selfSigned } from '../../src/planes/edge/nginx/certificate.ts';
import { ask, Load } from '../integration/edge/client.ts';
import { type Blade, World } from '../integration/edge/world.ts';
import { type BulkRequest, bulk } from '../support/clusters/bulk.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { chain, fillers, ingressOf, serviceOf, tlsSecret } from '../support/greedy.ts';

// A blade reads a real API server, where one tenant has Secrets of almost the largest size that there is.
const host = 'www.honest.example';
const secrets = 80;
/** What `deploy/` lets the agent's unit have is 768 MiB; a page of these Secrets, read as a whole, took it to some 500. */
const mostMiB = 300;

let world: World;
let plane: ControlPlane;
let kubeconfig: string;

const web = serviceOf('honest', 'web', ['10.10.1.5']);
/** Ports of a real API server have names. */
const named = web.map((object) => ('ports' in object ? { ...object, ports: [{ name: '', port: 3000 }] } : object));

beforeAll(async () => {
  world = await World.create({ 'web.yaml': web });
  const [blade, other] = world.blades;
  await Promise.all([blade.agent.stop(), other.stop()]);
  // The state of the folder, which the blade served before, is not that of this cluster.
  await rm(join(blade.runDir, runFiles.edgeSnapshot), { force: true });
  plane = await startTestControlPlane({ address: '10.9.0.2' });
  for (const name of ['honest', 'greedy', 'tideline-system']) await plane.kubectl(['create', 'namespace', name]);
  const rights = parseAllDocuments(await readFile(join(import.meta.dirname, '../../deploy/rbac/edge.yaml'), 'utf8'));
  await plane.apply(...rights.map((document) => document.toJS() as object), ...named);
  await plane.apply(ingressOf({ namespace: 'honest', name: 'www', hosts: [host] }));
  await world.pod('first', 5);
  kubeconfig = await plane.kubeconfigFor({ user: 'tideline:edge:paris-blade-1', groups: ['tideline:edge'] });
}, 120_000);

afterAll(async () => {
  await world?.destroy();
  await plane?.stop();
});

async function* largeSecrets(): AsyncGenerator<BulkRequest> {
  const leaf = selfSigned('*.greedy.example', Date.now());
  const long = await fillers(43_000);
  for (let at = 0; at < secrets; at += 1) {
    const body = tlsSecret('greedy', `s${at}`, chain(leaf, at, long, 15), leaf.key);
    yield { method: 'POST', path: '/api/v1/namespaces/greedy/secrets', body };
  }
}

/** The most memory that the agent ever had, in MiB. */
async function mostOf(blade: Blade): Promise<number> {
  const status = await readFile(`/proc/${blade.agent.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

it('an agent starts beside the largest Secrets within its memory, and serves the other tenant', async () => {
  const [blade] = world.blades;
  await bulk(plane, largeSecrets());
  blade.startAgent('--kubeconfig', kubeconfig);
  await eventually(async () => (await ask(host).catch(() => undefined))?.status === 200);
  const load = new Load(host);
  const refused = { host: 'h1.greedy.example', name: 's1' };
  await plane.apply(
    ingressOf({ namespace: 'greedy', name: refused.name, hosts: [refused.host], secretName: refused.name }),
  );
  await eventually(async () => {
    const { refused: found } = await blade.status();
    return found.flatMap(({ problems }) => problems).some(({ reason }) => reason === 'ObjectBudget');
  });
  expect((await load.stop()).failures).toEqual([]);
  expect((await blade.status()).vips).toMatchObject([{ fit: true, announced: true }]);
  expect(await mostOf(blade)).toBeLessThan(mostMiB);
}, 120_000);
