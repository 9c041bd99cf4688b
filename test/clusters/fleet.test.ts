import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compileFleet } from '../../src/planes/fleet/compile/compile.ts';
import { binaries } from '../support/clusters/binaries.ts';
import { eventually } from '../support/clusters/control-plane.ts';
import { fleetPlatform } from '../support/fleet.ts';
import { FleetServer } from '../support/fleet-server.ts';

/** The only server of its cluster: a member of etcd and a control plane, started as the units of its document say. */
const id = 'site0-control0';
const address = '10.1.0.10';
const vip = '192.0.0.1';
const units = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
let folder = '';
let server: FleetServer | undefined;

beforeAll(async () => {
  const whole = fleetPlatform({ workersPerSite: 0, bladesPerSite: 2 });
  const servers = [...whole.servers].filter(([name]) => name === id);
  const { documents, pkiPlan } = compileFleet({ ...whole, servers: new Map(servers) }, {});
  const document = documents.get(id);
  if (document === undefined) throw new Error('unreachable');
  for (const own of [address, vip]) await promisify(execFile)('ip', ['address', 'add', `${own}/32`, 'dev', 'lo']);
  folder = await mkdtemp(join(tmpdir(), 'tideline-fleet-'));
  const programs = await binaries();
  server = new FleetServer(document, folder, (name) => join(programs, name));
  await server.install(pkiPlan[id] ?? []);
  for (const unit of units) await server.start(`${unit}.service`);
}, 120_000);
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The status and the text of a path, asked with the certificate of a file of the server or with none. */
async function ask(url: string, client?: string): Promise<{ readonly status: number; readonly text: string }> {
  const file = async (path: string) => readFile(server?.at(path) ?? '', 'utf8');
  const ca = server?.authorities.get('site0/kubernetes');
  const own = client === undefined ? {} : { cert: await file(`${client}.crt`), key: await file(`${client}.key`) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { ca, ...own, timeout: 5000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject).end();
  });
}

const scheduler = '/etc/kubernetes/kube-scheduler/client';
const manager = '/etc/kubernetes/kube-controller-manager/client';
const api = (host: string, path: string, client?: string) => ask(`https://${host}:6443${path}`, client);

it('has an API that is ready at its own address and at the VIP, by the certificates that were planned', async () => {
  await eventually(async () => expect((await api(vip, '/readyz')).status).toBe(200));
  expect((await api(address, '/livez')).status).toBe(200);
  expect((await api('127.0.0.1', '/healthz')).status).toBe(200);
}, 130_000);

it('answers nobody without a certificate beyond that', async () => {
  expect((await api(vip, '/version')).status).toBe(401);
  expect((await api(vip, '/api/v1/namespaces')).status).toBe(401);
});

it('knows each program by its certificate, with its rights and no others', async () => {
  expect((await api(vip, '/api/v1/namespaces', manager)).status).toBe(200);
  expect((await api(vip, '/apis/rbac.authorization.k8s.io/v1/clusterroles', scheduler)).status).toBe(403);
});

it('has a controller-manager and a scheduler that are well and lead', async () => {
  for (const port of [10_257, 10_259])
    await eventually(async () => expect((await ask(`https://127.0.0.1:${port}/healthz`)).status).toBe(200));
  for (const name of ['kube-controller-manager', 'kube-scheduler']) {
    const lease = `/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/${name}`;
    const client = `/etc/kubernetes/${name}/client`;
    await eventually(async () => expect((await api(vip, lease, client)).text).toContain('holderIdentity'));
  }
}, 150_000);
