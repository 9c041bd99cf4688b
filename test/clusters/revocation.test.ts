import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ApiError } from '../../src/kube/api/client.ts';
import { connect } from '../../src/kube/api/connect.ts';
import { eventually, withControlPlane } from '../support/clusters/control-plane.ts';
import { promised } from '../support/promised.ts';

/** What shuts out a server whose kubeconfig was stolen, as docs/operations/cluster.md says. */
const plane = withControlPlane();
const path = '/api/v1/secrets';
/** The time of the document. */
const refusedWithinMs = 1000;

it('without its rights a server gets no new answer within seconds, but an open watch goes on until its connection is killed', async () => {
  const rights = await readFile(join(import.meta.dirname, '../../deploy/rbac/edge.yaml'), 'utf8');
  await plane().kubectl(['create', 'namespace', 'tideline-system']);
  await plane().apply(...parseAllDocuments(rights).map((document) => document.toJS() as object));
  const identity = { user: 'tideline:edge:paris-blade-1', groups: ['tideline:edge'] };
  const thief = await connect({ kubeconfig: await plane().kubeconfigFor(identity) });
  const heard: string[] = [];
  let ended = false;
  const { lines } = await eventually(() =>
    thief.stream({ path, query: { watch: true, timeoutSeconds: 86_400, fieldSelector: 'metadata.namespace=default' } }),
  );
  const listening = (async () => {
    for await (const line of lines)
      heard.push((JSON.parse(line) as { object: { metadata: { name: string } } }).object.metadata.name);
  })()
    .catch(() => undefined)
    .finally(() => {
      ended = true;
    });
  const secret = (name: string): Promise<string> =>
    plane().kubectl(['create', 'secret', 'generic', name, '--from-literal=key=value']);
  const refused = (): Promise<boolean> =>
    thief.request({ path, query: { limit: 1 } }).then(
      () => false,
      (error: unknown) => error instanceof ApiError && error.status === 403,
    );
  try {
    await secret('before');
    await eventually(() => heard.includes('before'));

    await plane().kubectl(['delete', 'clusterrolebinding', 'tideline-edge']);
    const began = performance.now();
    await eventually(refused);
    const seconds = (performance.now() - began) / 1000;
    console.log(`requests were refused ${seconds.toFixed(1)} s after the binding was deleted`);
    expect(1000 * seconds).toBeLessThan(promised(refusedWithinMs));

    await secret('after');
    await eventually(() => heard.includes('after'));
    expect(ended).toBe(false);

    // The documented command, for the address that a client on this machine has.
    await promisify(execFile)('ss', ['--kill', 'dst', '127.0.0.1', 'sport', '=', ':6443']);
    await eventually(() => ended);
    await secret('later');
    expect(await refused()).toBe(true);
    expect(heard).not.toContain('later');
  } finally {
    await thief.close();
    await listening;
  }
});
