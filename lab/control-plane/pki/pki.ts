import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authority, createAuthority } from './certificate.ts';

/** Where the throw-away keys and certificates of one control plane lie, as PEM files; a `.key` beside each `.crt`. */
export interface PkiFiles {
  /** Signs the apiserver, the components' own endpoints and every client of the apiserver. */
  readonly authority: string;
  readonly apiserver: string;
  readonly kubeletClient: string;
  /** The serving certificate of controller-manager and scheduler. */
  readonly component: string;
  /** The key that signs ServiceAccount tokens; its `.pub` lies beside it. */
  readonly serviceAccount: string;
  /** The authority of the aggregation layer: never the clients' (a client could claim to be the proxy). */
  readonly frontProxyAuthority: string;
  readonly frontProxyClient: string;
  readonly etcdAuthority: string;
  readonly etcd: string;
  readonly etcdClient: string;
}

export interface Pki {
  readonly files: PkiFiles;
  /** The present authority; `rotate` replaces it. */
  authority(): Authority;
  /** Makes a new authority and new certificates of the apiserver and the components under it, written over the old files. */
  rotate(): Promise<void>;
}

export const certificateOf = (file: string): string => `${file}.crt`;
export const keyOf = (file: string): string => `${file}.key`;

/** Makes everything in `folder`. `hosts` are the names and addresses that the apiserver is called by. */
export async function createPki(
  folder: string,
  hosts: readonly string[],
  componentHosts: readonly string[],
): Promise<Pki> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = filesIn(folder);
  let generation = 1;
  let authority = createAuthority('kubernetes-ca-1');
  await Promise.all([
    writeServing(files, authority, hosts, componentHosts),
    writeServiceAccountKeys(files.serviceAccount),
    writeFrontProxy(files),
    writeEtcd(files, componentHosts),
  ]);
  return {
    files,
    authority: () => authority,
    async rotate() {
      generation += 1;
      authority = createAuthority(`kubernetes-ca-${generation}`);
      await writeServing(files, authority, hosts, componentHosts);
    },
  };
}

function filesIn(folder: string): PkiFiles {
  return {
    authority: join(folder, 'ca'),
    apiserver: join(folder, 'apiserver'),
    kubeletClient: join(folder, 'apiserver-kubelet-client'),
    component: join(folder, 'component'),
    serviceAccount: join(folder, 'service-account'),
    frontProxyAuthority: join(folder, 'front-proxy-ca'),
    frontProxyClient: join(folder, 'front-proxy-client'),
    etcdAuthority: join(folder, 'etcd-ca'),
    etcd: join(folder, 'etcd'),
    etcdClient: join(folder, 'etcd-client'),
  };
}

async function writeIssued(
  file: string,
  issued: { readonly certificate: string; readonly key: string },
): Promise<void> {
  await Promise.all([
    writeFile(certificateOf(file), issued.certificate),
    writeFile(keyOf(file), issued.key, { mode: 0o600 }),
  ]);
}

async function writeServing(
  files: PkiFiles,
  authority: Authority,
  hosts: readonly string[],
  componentHosts: readonly string[],
): Promise<void> {
  const kubelet = { commonName: 'kube-apiserver-kubelet-client', organisations: ['system:masters'] };
  await Promise.all([
    writeIssued(files.authority, authority),
    writeIssued(files.apiserver, authority.issue({ commonName: 'kube-apiserver', hosts })),
    writeIssued(files.kubeletClient, authority.issue(kubelet)),
    writeIssued(files.component, authority.issue({ commonName: 'kube-component', hosts: componentHosts })),
  ]);
}

async function writeFrontProxy(files: PkiFiles): Promise<void> {
  const authority = createAuthority('front-proxy-ca');
  await Promise.all([
    writeIssued(files.frontProxyAuthority, authority),
    writeIssued(files.frontProxyClient, authority.issue({ commonName: 'front-proxy-client' })),
  ]);
}

async function writeEtcd(files: PkiFiles, hosts: readonly string[]): Promise<void> {
  const authority = createAuthority('etcd-ca');
  await Promise.all([
    writeIssued(files.etcdAuthority, authority),
    writeIssued(files.etcd, authority.issue({ commonName: 'etcd', hosts })),
    writeIssued(files.etcdClient, authority.issue({ commonName: 'kube-apiserver-etcd-client' })),
  ]);
}

async function writeServiceAccountKeys(file: string): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await Promise.all([
    writeFile(`${file}.pub`, publicKey.export({ type: 'spki', format: 'pem' })),
    writeFile(keyOf(file), privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 }),
  ]);
}
