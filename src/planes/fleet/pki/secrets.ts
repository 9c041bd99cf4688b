import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { inPhase, type Phase } from './rotation.ts';

/** What is the same on several servers of a cluster and must be known to no other. Of each list the first is used, and all are believed. */
export interface ClusterSecrets {
  readonly format: 1;
  /** The first signs tokens of ServiceAccounts. */
  readonly serviceAccounts: readonly TokenKey[];
  /** Keys of secretbox, 32 bytes in base64. The first encrypts Secrets in etcd. */
  readonly encryption: readonly EncryptionKey[];
  /** Keys of encryption that no server has any more: snapshots from before need them. The last that was dropped comes last. */
  readonly retired?: readonly EncryptionKey[];
}

export interface TokenKey {
  readonly name: string;
  /** PEM. */
  readonly privateKey: string;
}

export interface EncryptionKey {
  /** It stands in etcd before what the key encrypted, so a name is never used twice. */
  readonly name: string;
  readonly secret: string;
}

export function newSecrets(): ClusterSecrets {
  return { format: 1, serviceAccounts: [newTokenKey('key-1')], encryption: [newEncryptionKey('key-1')] };
}

/** The secrets after a phase of the change of one of them; the same object when the phase was there already. Throws InputError. */
export async function changedSecrets(
  secrets: ClusterSecrets,
  of: 'encryption' | 'service-accounts',
  phase: Phase,
): Promise<ClusterSecrets> {
  if (of === 'service-accounts') {
    const serviceAccounts = await inPhase(secrets.serviceAccounts, phase, newTokenKey);
    return serviceAccounts === secrets.serviceAccounts ? secrets : { ...secrets, serviceAccounts };
  }
  const encryption = await inPhase(secrets.encryption, phase, newEncryptionKey);
  if (encryption === secrets.encryption) return secrets;
  const dropped = secrets.encryption.filter((key) => !encryption.includes(key));
  const retired = [...(secrets.retired ?? []), ...dropped];
  return { ...secrets, encryption, ...(retired.length === 0 ? {} : { retired }) };
}

/** RSA, because whoever verifies tokens outside of the cluster (OpenID Connect) must take RS256 and need take nothing else. */
function newTokenKey(name: string): TokenKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { name, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

function newEncryptionKey(name: string): EncryptionKey {
  return { name, secret: randomBytes(32).toString('base64') };
}

/** The texts by the names that documents have for them (`ServerPki.secrets`). */
export function secretTexts(cluster: string, secrets: ClusterSecrets): Readonly<Record<string, string>> {
  const [signing] = secrets.serviceAccounts;
  return {
    [`${cluster}/encryption`]: encryptionText(secrets.encryption),
    [`${cluster}/service-accounts`]: signing?.privateKey ?? '',
    [`${cluster}/service-accounts-public`]: secrets.serviceAccounts.map(publicOf).join(''),
  };
}

/** Nothing that is not encrypted is believed: a cluster has these keys before its first Secret. */
function encryptionText(keys: readonly EncryptionKey[]): string {
  return JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [{ resources: ['secrets'], providers: [{ secretbox: { keys } }] }],
  });
}

const publicOf = ({ privateKey }: TokenKey): string =>
  createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
