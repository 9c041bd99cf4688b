import { generateKeyPairSync } from 'node:crypto';
import { signLeaf } from '../../../runtime/x509/certificate.ts';
import type { OpenAuthority } from './sign.ts';

/** A person who asks the API of a cluster, for a while. */
export interface Operator {
  readonly name: string;
  /** The group that RBAC knows the person by. */
  readonly group: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A kubeconfig with a key that was made for it and a certificate of this authority, as JSON, which is YAML. */
export function operatorKubeconfig(
  cluster: string,
  url: string,
  { issuer, trusted }: OpenAuthority,
  { name, group, fromMs, untilMs }: Operator,
): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const content = {
    commonName: name,
    organisations: [group],
    usages: ['client'],
    hosts: [],
    from: new Date(fromMs),
    until: new Date(untilMs),
  } as const;
  const key = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
  const user = {
    'client-certificate-data': base64(signLeaf(issuer, content, publicKey)),
    'client-key-data': base64(key),
  };
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: cluster, cluster: { server: url, 'certificate-authority-data': base64(trusted) } }],
    users: [{ name, user }],
    contexts: [{ name: cluster, context: { cluster, user: name } }],
    'current-context': cluster,
  };
  return `${JSON.stringify(kubeconfig, undefined, 2)}\n`;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
