import { expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { silentLog } from '../../runtime/log.ts';
import { Registry } from '../../runtime/metrics.ts';
import { ApiError, type KubeClient, type KubeRequest } from '../api/client.ts';
import { writeMetrics } from './metrics.ts';
import { StatusWriter } from './writer.ts';

const object = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  resource: 'ingresses',
  namespace: 'video',
  name: 'web',
};

/** A server on which `owner` has the status, which only force takes from it; and what it was asked. */
function ownedBy(owner: string): { readonly client: KubeClient; readonly asked: KubeRequest[] } {
  const asked: KubeRequest[] = [];
  const request = async (one: KubeRequest): Promise<never> => {
    asked.push(one);
    if (one.query?.['force'] === true) return {} as never;
    throw new ApiError(409, 'Conflict', `Apply failed with 1 conflict: conflict with "${owner}"`);
  };
  const none = (): Promise<never> => Promise.reject(new Error('not in this test'));
  return { client: { server: 'https://recorder', request, list: none, stream: none, close: async () => {} }, asked };
}

it.each([
  ['a stranger left over: by force', 'nginx-ingress-controller', true, [false, true]],
  ['a stranger owns while others may write too: never', 'nginx-ingress-controller', false, [false]],
  ['another pool of ours owns: never', 'tideline-edge-london', true, [false]],
])('takes what %s', async (_, owner, exclusive, forced) => {
  const { client, asked } = ownedBy(owner);
  const clock = new FakeClock(0);
  const writer = new StatusWriter({
    client,
    clock,
    fieldManager: 'tideline-edge-paris',
    isSibling: (manager) => manager.startsWith('tideline-edge-'),
    random: () => 0,
    log: silentLog,
    metrics: writeMetrics(new Registry()),
    allowedForMs: () => 10_000,
  });
  writer.set([{ object, wanted: { ip: 1 }, held: { ip: 2 }, exclusive }]);
  await clock.advance(1000);
  await writer.stop();
  expect(asked.map(({ query }) => query?.['force'])).toEqual(forced);
});
