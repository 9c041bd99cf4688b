import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAuthority } from '../../../../test/support/authority.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { createLog } from '../../../runtime/log.ts';
import { KedaScaler } from './keda.ts';
import { ExternalScaler } from './keda-service.ts';
import { bookOf, type Series } from './series.ts';
import { ServingFiles } from './serving-files.ts';

const serving = createAuthority('serving');
const clients = createAuthority('clients');
const floor: Series = {
  metric: 'tideline_floor_replicas',
  labels: { target: 'web' },
  value: 108,
  atMs: 0,
  namespace: 'video',
};
let series: readonly Series[] = [floor];
let scaler: KedaScaler;
let files: ServingFiles;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-keda-'));
  const { certificate, key } = serving.issue({ commonName: 'scaler', hosts: ['localhost'] });
  const paths = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  await writeFile(paths.cert, certificate);
  await writeFile(paths.key, key);
  const common = { clock: systemClock, log: createLog('test', 'silent') };
  files = await ServingFiles.open({ ...paths, ...common });
  const book = () => bookOf(series);
  scaler = new KedaScaler({ host: '127.0.0.1', port: 0, files, clients: clients.certificate, book, ...common });
  await scaler.start();
});

afterAll(async () => {
  files?.stop();
  scaler?.stop();
  await rm(folder, { recursive: true, force: true });
});

function clientOf(authority = clients): Client & Record<string, (...words: unknown[]) => unknown> {
  const { certificate, key } = authority.issue({ commonName: 'keda' });
  const tls = credentials.createSsl(Buffer.from(serving.certificate), Buffer.from(key), Buffer.from(certificate));
  const options = { 'grpc.ssl_target_name_override': 'localhost' };
  return new ExternalScaler(`127.0.0.1:${scaler.port}`, tls, options) as unknown as ReturnType<typeof clientOf>;
}

/** What is answered, or the code of the failure and its words. */
async function ask(method: string, request: object, authority = clients): Promise<unknown> {
  const client = clientOf(authority);
  const deadline = Date.now() + 20_000;
  try {
    return await new Promise((resolve) => {
      client[method]?.(request, { deadline }, (error: { code: number; details: string } | null, answer: unknown) =>
        resolve(error === null ? answer : { code: error.code, details: error.details }),
      );
    });
  } finally {
    client.close();
  }
}

const ref = (scalerMetadata: Readonly<Record<string, string>>, namespace = 'video') => ({
  name: 'web',
  namespace,
  scalerMetadata,
});
const web = ref({ scalerAddress: 'x', target: 'web' });

it('gives the floor, which is never short of a replica for the tolerance of the autoscaler', async () => {
  expect(await ask('GetMetricSpec', web)).toEqual({
    metricSpecs: [{ metricName: 'tideline_floor_replicas', targetSize: 1, targetSizeFloat: 0.909 }],
  });
  expect(await ask('GetMetrics', { scaledObjectRef: web, metricName: 'tideline_floor_replicas' })).toEqual({
    metricValues: [{ metricName: 'tideline_floor_replicas', metricValue: 108, metricValueFloat: 108 }],
  });
  expect(await ask('IsActive', web)).toEqual({ result: true });
});

it('says what is wrong with a trigger', async () => {
  const details = (text: string) => ({
    code: status.INVALID_ARGUMENT,
    details: expect.stringContaining(text) as string,
  });
  expect(await ask('GetMetricSpec', ref({}))).toEqual(details('target: expected which target'));
  expect(await ask('GetMetricSpec', ref({ metric: 'tideline_flor' }))).toEqual(details('expected one of'));
  expect(await ask('GetMetricSpec', ref({ metric: '__proto__' }))).toEqual(details('expected one of'));
  const policy = { metric: 'tideline_policy_requests_per_second', policy: 'video' };
  expect(await ask('GetMetricSpec', ref(policy))).toEqual(details('how much of'));
  expect(await ask('GetMetricSpec', ref({ ...policy, targetValue: '0' }))).toEqual(details('above 0'));
});

it('knows nothing of a target in another namespace, and does not let it sleep', async () => {
  const foreign = ref({ target: 'web' }, 'other');
  expect(await ask('GetMetrics', { scaledObjectRef: foreign })).toMatchObject({ code: status.UNAVAILABLE });
  expect(await ask('IsActive', foreign)).toEqual({ result: true });
});

it('answers nobody without a certificate of its clients', async () => {
  expect(await ask('IsActive', web, createAuthority('strangers'))).toMatchObject({ code: status.UNAVAILABLE });
});

it('tells in a stream when a workload wakes', async () => {
  series = [{ ...floor, value: 0 }];
  const client = clientOf();
  const said: boolean[] = [];
  const call = client['StreamIsActive']?.(web) as NodeJS.EventEmitter & { cancel(): void };
  try {
    await new Promise<void>((resolve, reject) => {
      call.on('error', reject);
      call.on('data', ({ result }: { readonly result: boolean }) => {
        said.push(result);
        if (said.length === 1) series = [floor];
        else resolve();
      });
    });
    expect(said).toEqual([false, true]);
  } finally {
    call.on('error', () => {});
    call.cancel();
    client.close();
  }
});

it('tells in a stream what a trigger wants', async () => {
  const client = clientOf();
  const call = client['StreamMetricSpec']?.(web) as NodeJS.EventEmitter & { cancel(): void };
  try {
    const said = await new Promise((resolve, reject) => call.on('error', reject).on('data', resolve));
    expect(said).toMatchObject({ metricSpecs: [{ metricName: 'tideline_floor_replicas' }] });
  } finally {
    call.on('error', () => {});
    call.cancel();
    client.close();
  }
});
