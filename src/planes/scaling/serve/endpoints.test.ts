import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createAuthority } from '../../../../test/support/authority.ts';
import { eventuallyWith } from '../../../../test/support/eventually.ts';
import { promised } from '../../../../test/support/promised.ts';
import type { KubeRequest } from '../../../kube/api/client.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { createLog } from '../../../runtime/log.ts';
import { Endpoints } from './endpoints.ts';

const eventually = eventuallyWith({ timeoutMs: promised(30_000), everyMs: 100 });
const pair = createAuthority('peers').issue({ commonName: 'peer', hosts: ['localhost'] });

interface Slice {
  readonly metadata: { readonly name: string };
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly conditions: { readonly ready: boolean };
  }[];
}

/** The EndpointSlices of a cluster, by their names. */
const slices = new Map<string, Slice>();
async function request<T>({ method, path, body }: KubeRequest): Promise<T> {
  if (method === 'PATCH') slices.set(path.split('/').at(-1) ?? '', body as Slice);
  return { items: [...slices.values()] } as T;
}
const slice = (name: string, address: string, port: number): void => {
  const endpoints = [{ addresses: [address], conditions: { ready: true } }];
  slices.set(name, { metadata: { name }, ports: [{ name: 'https', port }], endpoints });
};
const isReady = (name: string): boolean | undefined => slices.get(name)?.endpoints[0]?.conditions.ready;

let peer: Server;
let endpoints: Endpoints;
afterEach(async () => {
  await endpoints.stop();
  peer.closeAllConnections();
  await new Promise((done) => peer.close(done));
  slices.clear();
});

it('takes out who is silent or drips, leaves who is no peer, and takes itself out before it ends', async () => {
  peer = createServer({ cert: pair.certificate, key: pair.key }, () => {
    // An answer whose head never comes.
  });
  await new Promise<void>((done) => peer.listen(0, '127.0.0.1', done));
  const { port } = peer.address() as AddressInfo;
  slice('tideline-scaling-drips', '127.0.0.1', port);
  slice('tideline-scaling-dead', '127.0.0.2', port);
  slice('somebody-else', '127.0.0.2', port);
  slice('tideline-scaling-other-port', '127.0.0.2', port === 65_535 ? 1 : port + 1);
  const log = createLog('test', 'silent');
  const own = { address: '127.0.0.3', port, server: 'own', isReady: () => true };
  endpoints = new Endpoints({ client: { request }, ...own, clock: systemClock, log });
  endpoints.start();
  await eventually(() => isReady('tideline-scaling-own') === true);
  await eventually(() => isReady('tideline-scaling-dead') === false && isReady('tideline-scaling-drips') === false);
  expect([isReady('somebody-else'), isReady('tideline-scaling-other-port')]).toEqual([true, true]);
  await endpoints.stop();
  expect(isReady('tideline-scaling-own')).toBe(false);
});
