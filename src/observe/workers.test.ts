import { expect, it } from 'vitest';
import type { KubeClient, KubeRequest } from '../kube/api/client.ts';
import { workersOfApi } from './workers.ts';

/** A kube-apiserver that has these pages of Nodes. */
function nodesOf(pages: readonly (readonly unknown[])[]): { readonly client: KubeClient; readonly asked: unknown[] } {
  const asked: unknown[] = [];
  const request = async <T>({ path, query }: KubeRequest): Promise<T> => {
    asked.push([path, query?.['continue']]);
    const page = Number(query?.['continue'] ?? 0);
    const next = page + 1 < pages.length ? { continue: String(page + 1) } : {};
    return { metadata: { resourceVersion: '1', ...next }, items: pages[page] } as T;
  };
  const refuse = (): never => {
    throw new Error('not asked for');
  };
  return {
    asked,
    client: { server: 'https://here', request, list: refuse, stream: refuse, close: async () => undefined },
  };
}

const node = (name: string, ...addresses: readonly object[]) => ({ metadata: { name }, status: { addresses } });

it('names every Node of all pages, also one that cannot be read', async () => {
  const { client, asked } = nodesOf([
    [
      node('paris-1', { type: 'Hostname', address: 'paris-1' }, { type: 'InternalIP', address: '10.1.0.21' }),
      { metadata: { name: 'paris-2' }, status: { addresses: 'none' } },
    ],
    [node('paris-3', { type: 'ExternalIP', address: '192.0.2.1' }), { metadata: 7 }, {}],
  ]);
  expect(await workersOfApi(client, 1000)).toEqual([
    { name: 'paris-1', address: '10.1.0.21' },
    { name: 'paris-2' },
    { name: 'paris-3' },
    { name: '(unnamed)' },
    { name: '(unnamed)' },
  ]);
  expect(asked).toEqual([
    ['/api/v1/nodes', undefined],
    ['/api/v1/nodes', '1'],
  ]);
});
