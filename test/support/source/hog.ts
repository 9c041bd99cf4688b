import { readFile } from 'node:fs/promises';
import { request } from 'node:https';

/**
 * Sends a request that never finishes its body, so that it holds its seat at the apiserver until the returned function ends it,
 * or for a minute. The kubeconfig must contain its certificate, as those of the harness do.
 */
export async function takeSeat(kubeconfig: string): Promise<() => void> {
  const { clusters, users } = JSON.parse(await readFile(kubeconfig, 'utf8')) as {
    readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
    readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
  };
  const decoded = (from: Readonly<Record<string, string>> | undefined, key: string): Buffer =>
    Buffer.from(from?.[key] ?? '', 'base64');
  const hog = request(`${clusters[0]?.cluster['server']}/api/v1/namespaces/video/configmaps`, {
    method: 'POST',
    ca: decoded(clusters[0]?.cluster, 'certificate-authority-data'),
    cert: decoded(users[0]?.user, 'client-certificate-data'),
    key: decoded(users[0]?.user, 'client-key-data'),
    headers: { 'content-type': 'application/json', 'content-length': '1000' },
    agent: false,
  });
  hog.on('error', () => undefined);
  hog.write('{');
  return () => hog.destroy();
}
