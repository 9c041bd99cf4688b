import { execFile } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PlannedCertificate } from '../../src/planes/fleet/compile/certificates.ts';
import { compileFleet } from '../../src/planes/fleet/compile/compile.ts';
import type { ServerDocument } from '../../src/planes/fleet/compile/document.ts';
import { changeAuthority, createAuthority, openAuthorities } from '../../src/planes/fleet/pki/authorities.ts';
import type { Phase } from '../../src/planes/fleet/pki/rotation.ts';
import { changeSecrets, provideSecrets } from '../../src/planes/fleet/pki/secrets-folder.ts';
import { type Pems, signAll } from '../../src/planes/fleet/pki/sign.ts';
import { signLeaf } from '../../src/runtime/x509/certificate.ts';
import { binaries } from '../support/clusters/binaries.ts';
import { eventually } from '../support/clusters/control-plane.ts';
import { fleetPlatform } from '../support/fleet.ts';
import { FleetServer } from '../support/fleet-server.ts';

/**
 * All authorities and keys of a cluster are changed at once, phase by phase, on a server that is a member of etcd and a control plane. Before and
 * after each restart of one program its neighbours still have what they had, and every client is answered, whichever phase it is in.
 */
const id = 'site0-control0';
const address = '10.1.0.10';
const passphrase = 'a passphrase of some length';
const names = ['etcd', 'front-proxy', 'kubernetes'].map((purpose) => `site0/${purpose}`);
let folder = '';
let server: FleetServer;
let document: ServerDocument;
let plan: readonly PlannedCertificate[];
let documents: ReadonlyMap<string, ServerDocument>;

beforeAll(async () => {
  const whole = fleetPlatform({ workersPerSite: 0, bladesPerSite: 2 });
  const servers = [...whole.servers].filter(([name]) => name === id);
  const compiled = compileFleet({ ...whole, servers: new Map(servers) }, {});
  ({ documents } = compiled);
  document = documents.get(id) ?? never();
  plan = compiled.pkiPlan[id] ?? [];
  for (const own of [address, '192.0.0.1'])
    await promisify(execFile)('ip', ['address', 'add', `${own}/32`, 'dev', 'lo']);
  folder = await mkdtemp(join(tmpdir(), 'tideline-rotation-'));
  const programs = await binaries();
  server = new FleetServer(document, join(folder, 'root'), (name) => join(programs, name));
  await server.install(plan);
  for (const name of names) await createAuthority(at('safe'), name, passphrase, Date.now());
  await sign();
  await writeFiles();
  for (const unit of ['etcd', 'kube-apiserver', 'kube-controller-manager']) await server.start(`${unit}.service`);
}, 180_000);
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const at = (...parts: readonly string[]) => join(folder, ...parts);
const open = () => openAuthorities(at('safe'), names, passphrase, Date.now());
let present: ReadonlyMap<string, Pems> = new Map();

/** What `fleet sign` does: certificates that have a reason, and the secrets. Resolves with how many certificates were signed. */
async function sign(): Promise<number> {
  const own: Record<string, string> = {};
  for (const { key } of plan) {
    const privateKey = await readFile(server.at(key), 'utf8');
    own[key] = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  }
  const signing = signAll({
    planned: new Map([[id, plan]]),
    publicKeys: new Map([[id, own]]),
    present,
    authorities: await open(),
    nowMs: Date.now(),
  });
  expect(signing.refused).toEqual([]);
  present = signing.certificates;
  await provideSecrets({ safe: at('safe'), out: at('out'), passphrase, documents, create: true, write: true });
  return signing.signed.length;
}

/** What a formula does with the files. */
async function writeFiles(): Promise<void> {
  const authorities = await open();
  const secrets: Record<string, string> = JSON.parse(await readFile(at('out/secrets', `${id}.json`), 'utf8'));
  const { pki } = document;
  for (const [path, pem] of Object.entries(present.get(id) ?? {})) await writeFile(server.at(path), pem);
  for (const [path, { authority }] of Object.entries(pki.authorities))
    await writeFile(server.at(path), authorities.get(authority)?.trusted ?? '');
  for (const [path, { secret }] of Object.entries(pki.secrets)) await writeFile(server.at(path), secrets[secret] ?? '');
}

/** A client as it was brought up in a phase: its certificate and whom it trusts. */
interface Client {
  readonly phase: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

async function clientOf(phase: string): Promise<Client> {
  const authority = (await open()).get('site0/kubernetes') ?? never();
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const content = {
    commonName: 'operator',
    organisations: ['system:masters'],
    usages: ['client'] as const,
    hosts: [],
    from: new Date(Date.now() - 60_000),
    until: new Date(Date.now() + 86_400_000),
  };
  const cert = signLeaf(authority.issuer, content, publicKey);
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { phase, ca: authority.trusted, cert, key };
}

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly token?: string;
}

/** Over a connection of its own, so that trust is decided anew. */
async function ask(client: Client, path: string, { method = 'GET', body, token }: Asked = {}) {
  const own = token === undefined ? { cert: client.cert, key: client.key } : {};
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const url = `https://${address}:6443${path}`;
    const sent = request(url, { method, ca: client.ca, ...own, headers, agent: false, timeout: 10_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const secrets = '/api/v1/namespaces/default/secrets';

/** Every client reads what is encrypted in etcd. */
async function answered(clients: readonly Client[]): Promise<void> {
  await eventually(async () => expect((await ask(clients[0] ?? never(), '/readyz')).status).toBe(200));
  for (const client of clients) {
    const { status, text } = await ask(client, `${secrets}/kept`);
    expect([client.phase, status]).toEqual([client.phase, 200]);
    expect(text).toContain(Buffer.from('a secret').toString('base64'));
  }
}

/** The phase in the safe, then on the server, one program after the other; the clients are answered at each of these moments. */
async function bring(phase: Phase, clients: readonly Client[]): Promise<number> {
  for (const name of names)
    await changeAuthority(at('safe'), name, passphrase, { phase, nowMs: Date.now(), write: true });
  for (const of of ['encryption', 'service-accounts'] as const)
    await changeSecrets(at('safe'), 'site0', passphrase, { of, phase, write: true });
  const signed = await sign();
  await writeFiles();
  const now = [...clients, await clientOf(phase)];
  await answered(clients);
  for (const unit of ['etcd', 'kube-apiserver', 'kube-controller-manager']) {
    await server.restart(`${unit}.service`);
    await answered(unit === 'etcd' ? clients : now);
  }
  return signed;
}

let before: Client;
let introduced: Client;
let promoted: Client;
const tokens: string[] = [];

async function newToken(client: Client): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } };
  const path = '/api/v1/namespaces/default/serviceaccounts/reader/token';
  const { status, text } = await ask(client, path, { method: 'POST', body });
  expect([status, text]).toEqual([201, text]);
  const made: { readonly status: { readonly token: string } } = JSON.parse(text);
  return made.status.token;
}

const believed = async (client: Client, token: string): Promise<boolean> => {
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  return (await ask(client, path, { method: 'POST', body, token })).status === 201;
};

it('begins with one of each', async () => {
  before = await clientOf('before');
  await eventually(async () => expect((await ask(before, '/readyz')).status).toBe(200));
  const data = { value: Buffer.from('a secret').toString('base64') };
  const make = async (path: string, body: object) =>
    eventually(async () => expect([201, 409]).toContain((await ask(before, path, { method: 'POST', body })).status));
  await make(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'kept' }, data });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'reader' } };
  await make('/api/v1/namespaces/default/serviceaccounts', account);
  await answered([before]);
  tokens.push(await newToken(before));
}, 180_000);

it('trusts the new ones as well, and signs nothing by them', async () => {
  expect(await bring('introduce', [before])).toBe(0);
  introduced = await clientOf('introduced');
  tokens.push(await newToken(before));
  for (const token of tokens) expect(await believed(before, token)).toBe(true);
}, 300_000);

it('signs everything by the new ones, while who has the old ones is still answered', async () => {
  expect(await bring('promote', [introduced, { ...before, ca: introduced.ca }])).toBe(plan.length);
  promoted = await clientOf('promoted');
  await answered([introduced, promoted]);
  tokens.push(await newToken(promoted));
  for (const token of tokens) expect(await believed(promoted, token)).toBe(true);
  const kept: { readonly metadata: object } = JSON.parse((await ask(promoted, `${secrets}/kept`)).text);
  expect((await ask(promoted, `${secrets}/kept`, { method: 'PUT', body: kept })).status).toBe(200);
}, 300_000);

it('trusts the old ones no longer', async () => {
  expect(await bring('drop', [promoted])).toBe(0);
  await expect(ask(before, '/readyz')).rejects.toThrow(/certificate/);
  const trusting = { ...introduced, ca: promoted.ca };
  expect((await ask(trusting, secrets)).status).toBe(401);
  const stillGood = await Promise.all(tokens.map((token) => believed(promoted, token)));
  expect(stillGood).toEqual([false, false, true]);
}, 300_000);

function never(): never {
  throw new Error('unreachable');
}
