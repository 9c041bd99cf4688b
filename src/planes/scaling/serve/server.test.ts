import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAuthority } from '../../../../test/support/authority.ts';
import { eventuallyWith } from '../../../../test/support/eventually.ts';
import { promised } from '../../../../test/support/promised.ts';
import { ApiError, type KubeRequest } from '../../../kube/api/client.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { createLog } from '../../../runtime/log.ts';
import { createRegistry } from '../../../runtime/metrics.ts';
import { bookOf } from './series.ts';
import { MetricsServer } from './server.ts';
import { ServingFiles } from './serving-files.ts';

const clients = createAuthority('clients');
const proxies = createAuthority('proxies');
const strangers = createAuthority('strangers');
const serving = createAuthority('serving');

/** The cluster, as far as the server asks it. */
const cluster = {
  reviews: [] as object[],
  isAway: false,
  configMap: {
    data: {
      'client-ca-file': clients.certificate,
      'requestheader-client-ca-file': proxies.certificate,
      'requestheader-allowed-names': '["front-proxy"]',
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    },
  },
};

async function request<T>({ path, body }: KubeRequest): Promise<T> {
  if (cluster.isAway) throw new ApiError(0, 'Unreachable', 'no route to host');
  if (path.endsWith('configmaps/extension-apiserver-authentication')) return cluster.configMap as T;
  const { spec } = body as { readonly spec: Record<string, unknown> };
  cluster.reviews.push(spec);
  if (path.endsWith('tokenreviews'))
    return {
      status: spec['token'] === 'good' ? { authenticated: true, user: { username: 'robot', groups: ['robots'] } } : {},
    } as T;
  const groups = spec['groups'] as readonly string[];
  return { status: { allowed: groups.includes('readers') || groups.includes('robots'), reason: 'RBAC' } } as T;
}

const eventually = eventuallyWith({ timeoutMs: promised(20_000), everyMs: 200 });
let server: MetricsServer;
let files: ServingFiles;
let folder: string;
const pair = (): { readonly cert: string; readonly key: string } => ({
  cert: join(folder, 'tls.crt'),
  key: join(folder, 'tls.key'),
});

async function writePair(commonName: string): Promise<void> {
  const { certificate, key } = serving.issue({ commonName, hosts: ['localhost'] });
  await writeFile(pair().cert, certificate);
  await writeFile(pair().key, key);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-serve-'));
  await writePair('first');
  const log = createLog('test', 'silent');
  files = await ServingFiles.open({ ...pair(), clock: systemClock, log });
  server = new MetricsServer({
    host: '127.0.0.1',
    port: 0,
    files,
    client: { request },
    book: () => bookOf([{ metric: 'tideline_floor_replicas', labels: { target: 'web' }, value: 7, atMs: 0 }]),
    version: '1.0.0',
    clock: systemClock,
    log,
    registry: createRegistry('test'),
  });
  await server.start();
  await eventually(async () => server.problems().length === 0);
});

afterAll(async () => {
  files?.stop();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Got {
  readonly code: number;
  readonly body: Record<string, unknown>;
  readonly type: string;
  readonly servedBy: string;
}

interface Asking {
  readonly as?: { readonly certificate: string; readonly key: string };
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly method?: string;
}

const metric = '/apis/external.metrics.k8s.io/v1beta1/namespaces/video/tideline_floor_replicas';

function get(path: string, { as, headers = {}, method = 'GET' }: Asking = {}): Promise<Got> {
  const { port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const asked = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        ca: serving.certificate,
        servername: 'localhost',
        agent: false,
        headers: headers as Record<string, string>,
        ...(as === undefined ? {} : { cert: as.certificate, key: as.key }),
      },
      (answer) => {
        const servedBy = (answer.socket as TLSSocket).getPeerX509Certificate()?.subject ?? '';
        let text = '';
        answer.on('data', (chunk) => (text += chunk));
        answer.on('end', () => {
          const type = answer.headers['content-type'] ?? '';
          const body = type.includes('json') && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : { text };
          resolve({ code: answer.statusCode ?? 0, body, type, servedBy });
        });
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

const front = proxies.issue({ commonName: 'front-proxy' });
const asUser = (user: string, ...groups: readonly string[]) => ({ 'X-Remote-User': user, 'X-Remote-Group': groups });

it.each<[string, Asking, number]>([
  ['nobody', {}, 401],
  ['headers without a certificate', { headers: asUser('anna', 'readers') }, 401],
  ['a client of its own', { as: clients.issue({ commonName: 'anna', organisations: ['readers'] }) }, 200],
  ['a client who may not', { as: clients.issue({ commonName: 'mallory' }) }, 403],
  [
    'a client who claims to be the proxy',
    { as: clients.issue({ commonName: 'front-proxy' }), headers: asUser('anna', 'readers') },
    403,
  ],
  ['a certificate of strangers', { as: strangers.issue({ commonName: 'anna', organisations: ['readers'] }) }, 401],
  [
    'a stranger who claims to be the proxy',
    { as: strangers.issue({ commonName: 'front-proxy' }), headers: asUser('anna', 'readers') },
    401,
  ],
  [
    'another name of the proxies',
    { as: proxies.issue({ commonName: 'other' }), headers: asUser('anna', 'readers') },
    401,
  ],
  [
    'a proxy that has ended',
    { as: proxies.issue({ commonName: 'front-proxy', validSeconds: -30 }), headers: asUser('anna', 'readers') },
    401,
  ],
  [
    'a client that has ended',
    { as: clients.issue({ commonName: 'anna', organisations: ['readers'], validSeconds: -30 }) },
    401,
  ],
  ['the proxy for a reader', { as: front, headers: asUser('anna', 'others', 'readers') }, 200],
  ['the proxy for a master', { as: front, headers: asUser('root', 'system:masters') }, 200],
  ['the proxy for somebody else', { as: front, headers: asUser('mallory', 'others') }, 403],
  ['the proxy for one group whose name has a comma', { as: front, headers: asUser('mallory', 'others, readers') }, 403],
  ['the proxy for nobody', { as: front }, 401],
  ['a token', { headers: { authorization: 'Bearer good' } }, 200],
  ['a bad token', { headers: { authorization: 'Bearer bad' } }, 401],
  ['a token of another scheme', { headers: { authorization: 'Basic good' } }, 401],
])('%s', async (_, asking, code) => {
  const got = await get(metric, asking);
  expect(got.code).toBe(code);
  if (code === 200) expect(got.body).toMatchObject({ items: [{ value: '7' }] });
  else expect(got.body).toMatchObject({ kind: 'Status', status: 'Failure', code });
});

it('asks the cluster in its own words', async () => {
  cluster.reviews.length = 0;
  const headers = { ...asUser('zoe', 'some'), 'X-Remote-Extra-Example.com%2Fproject': 'one' };
  await get('/apis/custom.metrics.k8s.io/v1beta2/namespaces/video/deployments.apps/web/tideline_floor_replicas', {
    as: front,
    headers,
  });
  await get('/apis/custom.metrics.k8s.io/v1beta1/namespaces/video/metrics/tideline_floor_replicas', {
    as: front,
    headers,
  });
  await get(metric, { as: front, headers });
  const who = { user: 'zoe', groups: ['some', 'system:authenticated'], extra: { 'example.com/project': ['one'] } };
  const group = 'custom.metrics.k8s.io';
  expect(cluster.reviews).toMatchObject([
    {
      ...who,
      resourceAttributes: {
        verb: 'get',
        group,
        resource: 'deployments.apps',
        subresource: 'tideline_floor_replicas',
        name: 'web',
        namespace: 'video',
      },
    },
    {
      ...who,
      resourceAttributes: {
        verb: 'get',
        group,
        resource: 'metrics',
        name: 'tideline_floor_replicas',
        namespace: 'video',
      },
    },
    {
      ...who,
      resourceAttributes: {
        verb: 'list',
        group: 'external.metrics.k8s.io',
        resource: 'tideline_floor_replicas',
        namespace: 'video',
      },
    },
  ]);
  const asked = cluster.reviews.length;
  await get(metric, { as: front, headers });
  expect(cluster.reviews).toHaveLength(asked);
});

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const aggregator = {
  as: front,
  headers: { ...asUser('system:kube-aggregator', 'system:masters'), accept: `${aggregated},application/json;q=0.9` },
};

it('is discovered from memory, while the cluster does not answer', async () => {
  cluster.isAway = true;
  try {
    const all = await get('/apis', aggregator);
    expect([all.code, all.type]).toEqual([200, aggregated]);
    expect(all.body).toMatchObject({
      kind: 'APIGroupDiscoveryList',
      items: [{ metadata: { name: 'custom.metrics.k8s.io' } }, {}],
    });
    // Without groups, as the aggregator asks where the newer form is not known.
    const plain = { as: front, headers: { 'X-Remote-User': 'system:kube-aggregator', accept: 'application/json' } };
    expect((await get('/apis/external.metrics.k8s.io/v1beta1', plain)).body).toMatchObject({ kind: 'APIResourceList' });
    expect((await get('/apis', plain)).body).toMatchObject({ kind: 'APIGroupList' });
    expect((await get('/openapi/v3', aggregator)).code).toBe(404);
    expect((await get('/livez')).code).toBe(200);
    // Nobody may be let in who was not asked about.
    const unknown = await get(metric, { as: front, headers: asUser('new', 'readers') });
    expect(unknown).toMatchObject({ code: 503, body: { kind: 'Status' } });
  } finally {
    cluster.isAway = false;
  }
});

it('answers JSON to who takes it, besides protobuf', async () => {
  const accept = 'application/vnd.kubernetes.protobuf, */*';
  expect((await get(metric, { as: front, headers: { ...asUser('a', 'readers'), accept } })).type).toBe(
    'application/json',
  );
  const only = 'application/vnd.kubernetes.protobuf';
  expect((await get(metric, { as: front, headers: { ...asUser('a', 'readers'), accept: only } })).code).toBe(406);
  expect((await get(metric, { as: front, headers: asUser('a', 'readers'), method: 'DELETE' })).code).toBe(405);
});

it('believes a new authority, and serves with a new certificate, without a restart', async () => {
  const next = createAuthority('proxies-2');
  const data = cluster.configMap.data;
  data['requestheader-client-ca-file'] += next.certificate;
  await writePair('second');
  const newFront = next.issue({ commonName: 'front-proxy' });
  const asking = { as: newFront, headers: asUser('anna', 'readers') };
  await eventually(async () => (await get(metric, asking)).code === 200);
  await eventually(async () => (await get('/livez')).servedBy === 'CN=second');
  await writeFile(pair().key, 'no key');
  await eventually(async () => server.problems().length === 1);
  expect((await get(metric, asking)).code).toBe(200);
});

it('asks the cluster nothing about metrics that there are not, and few questions at once', async () => {
  cluster.reviews.length = 0;
  const who = { as: front, headers: asUser('tenant', 'some') };
  const path = metric.replace('tideline_floor_replicas', 'made-up');
  expect((await get(path, who)).body).toMatchObject({ items: [] });
  expect(cluster.reviews).toEqual([]);
  const tokens = Array.from({ length: 60 }, (_, at) => get('/apis', { headers: { authorization: `Bearer t${at}` } }));
  const codes = (await Promise.all(tokens)).map(({ code }) => code);
  expect(codes.every((code) => code === 401 || code === 503)).toBe(true);
});

it('ends connections that send nothing, and lets one source have not all', async () => {
  const { port } = new URL(server.url);
  const sockets = Array.from({ length: 200 }, () => connect(Number(port), '127.0.0.1').on('error', () => {}));
  try {
    const ended = sockets.map((socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve())));
    // Those beyond what one source may have end at once.
    await Promise.all(ended.slice(150));
    await Promise.all(ended);
    expect((await get('/livez')).code).toBe(200);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});
