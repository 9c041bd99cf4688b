import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createAuthority } from '../../test/support/authority.ts';
import { type TlsFolder, tlsFolder } from '../../test/support/tls-files.ts';
import { systemClock } from '../runtime/clock.ts';
import { serveAgentEndpoint } from '../runtime/endpoint.ts';
import { silentLog } from '../runtime/log.ts';
import { createRegistry } from '../runtime/metrics.ts';
import { TlsCredentials } from '../runtime/tls/credentials.ts';
import { readTlsFiles } from '../runtime/tls/material.ts';
import { askAgent } from './ask.ts';

const authority = createAuthority('the platform');
const cleanups: (() => unknown)[] = [];
let person: TlsFolder;
beforeEach(() => {
  person = tlsFolder(authority, { commonName: 'an operator', hosts: ['operator.example'] });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  person.remove();
});

/** The agent of a worker that answers with a certificate for these names. */
async function worker(hosts: readonly string[]): Promise<number> {
  const folder = tlsFolder(authority, { commonName: 'a worker', hosts });
  const credentials = new TlsCredentials({ files: folder.files, clock: systemClock, log: silentLog });
  await credentials.start();
  const endpoint = await serveAgentEndpoint({
    host: '127.0.0.31',
    port: 0,
    registry: createRegistry('test'),
    status: () => ({ agent: 'edge' }),
    door: () => ({
      peers: [],
      networks: [],
      gates: { own: [], foreign: [{ name: 'lyon-blade-1', address: '127.0.0.41' }] },
    }),
    tls: { credentials, grace: false },
    names: [],
    clock: systemClock,
    log: silentLog,
  });
  cleanups.push(async () => {
    credentials.stop();
    await endpoint.stop();
    folder.remove();
  });
  return Number(new URL(endpoint.url).port);
}

async function askedBy(folder: TlsFolder | undefined, port: number, grace = false) {
  const material = folder === undefined ? undefined : await readTlsFiles(folder.files);
  return askAgent(
    { server: 'paris-worker-1', plane: 'network', cluster: 'paris', address: '127.0.0.31', port },
    {
      timeoutMs: 5000,
      monotonic: () => performance.now(),
      access: material === undefined ? undefined : { material: () => material, grace },
    },
  );
}

/** What is told where the agent answered: the status above is that of another agent, which is seen only when it came. */
const answered = { problem: expect.stringContaining('is not who answers there: agent "edge"') };

it.each([
  ['by its name', ['paris-worker-1']],
  ['by its address', ['127.0.0.31']],
])('a person with a certificate hears the server that is meant, %s', async (_, hosts) => {
  expect(await askedBy(person, await worker(hosts))).toMatchObject(answered);
});

it('names what is in the way, and what to do about it', async () => {
  const port = await worker(['paris-worker-1']);
  const none = await askedBy(undefined, port);
  expect(none).toMatchObject({ refuses: true, problem: expect.stringMatching(/\(TlsRequired\); .*TIDELINE_TLS_CERT/) });
  const foreign = tlsFolder(authority, { commonName: 'a blade', hosts: ['lyon-blade-1'] });
  const ended = tlsFolder(authority, { commonName: 'an operator', validSeconds: -1 });
  const stranger = tlsFolder(createAuthority('the platform'), { commonName: 'an operator' });
  stranger.write('ca', authority.certificate);
  cleanups.push(() => [foreign, ended, stranger].forEach((folder) => folder.remove()));
  expect(await askedBy(foreign, port)).toMatchObject({ problem: expect.stringContaining('(ForeignServer)') });
  expect(await askedBy(ended, port)).toMatchObject({ problem: expect.stringContaining('(CertificateRefused)') });
  expect(await askedBy(stranger, port)).toMatchObject({ problem: expect.stringContaining('(CertificateRefused)') });
});

it('does not believe another server at that address', async () => {
  const part = await askedBy(person, await worker(['paris-worker-2', '127.0.0.32']));
  expect(part).toMatchObject({
    refuses: true,
    problem: expect.stringMatching(
      /not that of paris-worker-1 \(127\.0\.0\.31\).*paris-worker-2.*\(ServerNotBelieved\)/,
    ),
  });
  const grace = await askedBy(person, await worker(['paris-worker-2']), true);
  expect(grace).toMatchObject({ problem: expect.stringContaining('(ServerNotBelieved)') });
});

it('believes who speaks no TLS during the grace only', async () => {
  const server = createServer((_, response) => response.end('{"agent":"edge"}'));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.31', resolve);
  });
  cleanups.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  expect(await askedBy(person, port)).toMatchObject({ problem: expect.stringMatching(/TlsNotServed\); .*--tls-mode/) });
  expect(await askedBy(person, port, true)).toMatchObject(answered);
});
