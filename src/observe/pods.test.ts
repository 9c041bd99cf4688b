import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ApiError, type KubeClient, type KubeRequest } from '../kube/api/client.ts';
import { systemClock } from '../runtime/clock.ts';
import { podsOfApi, podsOfFolder } from './pods.ts';

let folder = '';
afterEach(async () => {
  if (folder !== '') await rm(folder, { recursive: true });
  folder = '';
});

const pod = (name: string, status: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'video', name },
  spec: { nodeName: 'paris-worker-1' },
  status,
});

test('finds the Pods of a folder by any of their addresses', async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-pods-'));
  const pods = [
    pod('one', { phase: 'Running', podIP: '10.10.1.1' }),
    pod('two', { podIPs: [{ ip: '10.10.1.2' }, { ip: 'fd00::2' }] }),
  ];
  await writeFile(join(folder, 'pods.yaml'), pods.map((one) => JSON.stringify(one)).join('\n---\n'));
  const find = (address: string) => podsOfFolder(folder, address, systemClock, 30_000);
  expect(await find('10.10.1.1')).toEqual([{ name: 'video/one', node: 'paris-worker-1', phase: 'Running' }]);
  expect(await find('fd00::2')).toEqual([{ name: 'video/two', node: 'paris-worker-1' }]);
  expect(await find('10.10.1.3')).toEqual([]);
});

test('rejects where there is no folder', async () => {
  await expect(podsOfFolder('/nowhere/at/all', '10.10.1.1', systemClock, 300)).rejects.toThrow(/nowhere/);
});

/** A client whose server answers every list with this. */
function client(answer: (request: KubeRequest) => unknown): KubeClient {
  return {
    server: 'https://example',
    request: <T>(request: KubeRequest) => Promise.resolve().then(() => answer(request) as T),
    list: () => Promise.reject(new Error('no list is cut')),
    stream: () => Promise.reject(new Error('nothing is watched')),
    close: () => Promise.resolve(),
  };
}

test('asks a kube-apiserver for the one address first, and leaves out what it cannot read', async () => {
  const asked: KubeRequest['query'][] = [];
  const items = [pod('one', { phase: 'Running' }), { metadata: 'nothing' }];
  const server = client(({ query }) => {
    asked.push(query);
    return { metadata: { resourceVersion: '1' }, items };
  });
  const found = await podsOfApi(server, '10.10.1.1', 3000);
  expect(found).toEqual([{ name: 'video/one', node: 'paris-worker-1', phase: 'Running' }]);
  expect(asked).toEqual([{ limit: 500, fieldSelector: 'status.podIP=10.10.1.1' }]);
});

test('looks through all Pods for an address that is not the first of one', async () => {
  const asked: KubeRequest['query'][] = [];
  const server = client(({ query = {} }) => {
    asked.push(query);
    if ('fieldSelector' in query) return { metadata: { resourceVersion: '1' }, items: [] };
    return 'continue' in query
      ? {
          metadata: { resourceVersion: '1' },
          items: [pod('two', { podIPs: [{ ip: '10.10.1.1' }, { ip: 'fd00::1' }] })],
        }
      : { metadata: { resourceVersion: '1', continue: 'more' }, items: [pod('one', { podIP: '10.10.1.2' })] };
  });
  expect(await podsOfApi(server, 'fd00::1', 3000)).toEqual([{ name: 'video/two', node: 'paris-worker-1' }]);
  expect(asked).toHaveLength(3);
});

test('rejects with what the kube-apiserver says', async () => {
  const forbidden = client(() => {
    throw new ApiError(403, 'Forbidden', 'pods is forbidden');
  });
  await expect(podsOfApi(forbidden, '10.10.1.1', 3000)).rejects.toThrow(/forbidden/);
});
