import { rename, writeFile } from 'node:fs/promises';

export interface KubeconfigContent {
  readonly server: string;
  /** The authority's certificate, PEM. */
  readonly authority: string;
  readonly user: string;
  readonly credential: { readonly certificate: string; readonly key: string } | { readonly token: string };
}

/** Writes a kubeconfig that contains its certificates and key, as JSON (which is YAML), and replaces an older file in one step. */
export async function writeKubeconfig(file: string, content: KubeconfigContent): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const { credential } = content;
  const user =
    'token' in credential
      ? { token: credential.token }
      : { 'client-certificate-data': base64(credential.certificate), 'client-key-data': base64(credential.key) };
  const name = 'control-plane';
  const cluster = { server: content.server, 'certificate-authority-data': base64(content.authority) };
  const text = JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster }],
      users: [{ name: content.user, user }],
      contexts: [{ name, context: { cluster: name, user: content.user } }],
      'current-context': name,
    },
    undefined,
    2,
  );
  await writeFile(`${file}.new`, `${text}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
