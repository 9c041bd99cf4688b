import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import { RawClient } from '../clusters/raw.ts';

export interface BulkRequest {
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

/**
 * Sends requests as the administrator over a few kept connections; rejects for an answer that is not 2xx. Resolves with
 * their number.
 */
export async function bulk(
  plane: ControlPlane,
  requests: Iterable<BulkRequest> | AsyncIterable<BulkRequest>,
  connections = 4,
): Promise<number> {
  const queue = Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
  let sent = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = new RawClient(plane.kubeconfig);
      try {
        for (let next = await queue.next(); next.done !== true; next = await queue.next()) {
          await sendRequest(client, next.value);
          sent += 1;
        }
      } finally {
        await client.close();
      }
    }),
  );
  return sent;
}

/** Sends one request, a PATCH as a merge patch; rejects for an answer that is not 2xx. */
export async function sendRequest(client: RawClient, { method, path, body }: BulkRequest): Promise<void> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const { status } = await client.send(method, path, body, type);
  if (status < 200 || status >= 300) throw new Error(`${method} ${path}: ${status}`);
}
