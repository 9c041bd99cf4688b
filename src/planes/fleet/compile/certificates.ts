import { addressAt } from '../../../model/address.ts';
import type { ServerRole } from '../../../model/spec/kinds/server.ts';
import { compareText } from '../../../model/values.ts';
import { ownFile, publicFile } from './access.ts';
import { hasFelix, type ServerContext } from './context.ts';
import type { FileAccess, ServerPki } from './document.ts';

/** What a certificate says of its holder. It comes from the spec alone: nothing that a server sends changes it. */
export interface PlannedCertificate {
  /** Where the server has it; `key` is the path of its private key. */
  readonly path: string;
  readonly key: string;
  readonly authority: string;
  readonly commonName: string;
  readonly organization?: string;
  readonly usages: readonly ('client' | 'server')[];
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
}

/** A certificate authority. A cluster has one for each purpose, so that a certificate of one opens nothing of another. */
export type Authority = 'kubernetes' | 'etcd' | 'front-proxy';

interface Holder {
  /** The user that reads the key. */
  readonly user: string;
  readonly folder: string;
  readonly name: string;
  readonly authority: Authority;
  readonly commonName: string;
  readonly organization?: string;
  readonly usages: PlannedCertificate['usages'];
  readonly names?: 'server' | 'api';
}

const node = (id: string) => ({ commonName: `system:node:${id}`, organization: 'system:nodes' });

const etcdHolders = ({ id }: ServerContext): readonly Holder[] => {
  const own = { user: 'etcd', folder: '/etc/etcd/pki', authority: 'etcd' } as const;
  const both = ['client', 'server'] as const;
  return [
    { ...own, name: 'server', commonName: id, usages: both, names: 'server' },
    { ...own, name: 'peer', commonName: id, usages: both, names: 'server' },
    { ...own, name: 'healthcheck-client', commonName: 'kube-etcd-healthcheck-client', usages: ['client'] },
  ];
};

const controlPlaneHolders = ({ id }: ServerContext): readonly Holder[] => {
  const of = (user: string) => ({ user, folder: `/etc/kubernetes/${user}` });
  const api = of('kube-apiserver');
  const [manager, scheduler] = [of('kube-controller-manager'), of('kube-scheduler')];
  const client = { usages: ['client'], authority: 'kubernetes' } as const;
  const serving = {
    name: 'serving',
    commonName: id,
    usages: ['server'],
    authority: 'kubernetes',
    names: 'server',
  } as const;
  return [
    {
      ...api,
      name: 'serving',
      authority: 'kubernetes',
      commonName: 'kube-apiserver',
      usages: ['server'],
      names: 'api',
    },
    { ...api, name: 'etcd-client', authority: 'etcd', commonName: 'kube-apiserver-etcd-client', usages: ['client'] },
    {
      ...api,
      ...client,
      name: 'kubelet-client',
      commonName: 'kube-apiserver-kubelet-client',
      organization: 'tideline:kubelet-api',
    },
    {
      ...api,
      name: 'front-proxy-client',
      authority: 'front-proxy',
      commonName: 'front-proxy-client',
      usages: ['client'],
    },
    { ...manager, ...client, name: 'client', commonName: 'system:kube-controller-manager' },
    { ...manager, ...serving },
    { ...scheduler, ...client, name: 'client', commonName: 'system:kube-scheduler' },
    { ...scheduler, ...serving },
  ];
};

const agent = (id: string, organization: string): Holder => ({
  user: 'tideline',
  folder: '/etc/tideline/pki',
  name: 'client',
  authority: 'kubernetes',
  commonName: id,
  organization,
  usages: ['client'],
});

const workerHolders = (server: ServerContext): readonly Holder[] => {
  const { id, fleet } = server;
  const kubelet = { user: 'root', folder: '/etc/kubernetes/kubelet', authority: 'kubernetes', ...node(id) } as const;
  return [
    { ...kubelet, name: 'client', usages: ['client'] },
    { ...kubelet, name: 'serving', usages: ['server'], names: 'server' },
    {
      user: 'kube-proxy',
      folder: '/etc/kubernetes/kube-proxy',
      name: 'client',
      authority: 'kubernetes',
      commonName: 'system:kube-proxy',
      usages: ['client'],
    },
    ...('calico' in fleet.ipam
      ? [
          {
            user: 'root',
            folder: '/etc/cni/pki',
            name: 'client',
            authority: 'kubernetes',
            commonName: 'tideline:calico-cni',
            organization: 'tideline:calico-cni',
            usages: ['client'],
          } as const,
        ]
      : []),
    ...(hasFelix(server)
      ? [
          {
            user: 'root',
            folder: '/etc/calico/pki',
            name: 'client',
            authority: 'kubernetes',
            commonName: 'tideline:calico-felix',
            organization: 'tideline:calico-felix',
            usages: ['client'],
          } as const,
        ]
      : []),
    agent(id, 'tideline:network'),
  ];
};

const holders: Readonly<Record<ServerRole, (server: ServerContext) => readonly Holder[]>> = {
  etcd: etcdHolders,
  'control-plane': controlPlaneHolders,
  worker: workerHolders,
  blade: ({ id }) => [agent(id, 'tideline:edge')],
};

/** The certificates of a server, sorted by path. */
export function plannedCertificates(server: ServerContext): readonly PlannedCertificate[] {
  return allHolders(server)
    .map((holder) => ({
      path: `${holder.folder}/${holder.name}.crt`,
      key: `${holder.folder}/${holder.name}.key`,
      authority: authorityName(server, holder.authority),
      commonName: holder.commonName,
      ...(holder.organization === undefined ? {} : { organization: holder.organization }),
      usages: holder.usages,
      ...subjectNames(server, holder.names),
    }))
    .toSorted((a, b) => compareText(a.path, b.path));
}

/** Keys, certificates and authorities of a server, without what only the signer has to know. */
export function pkiOf(server: ServerContext): ServerPki {
  const own = allHolders(server);
  const access = new Map(own.map(({ folder, name, user }) => [`${folder}/${name}`, ownFile(user)]));
  const planned = plannedCertificates(server);
  const at = (path: string): FileAccess => access.get(path.replace(/\.(crt|key)$/, '')) ?? ownFile('root');
  return {
    keys: Object.fromEntries(planned.map(({ key }) => [key, { ...at(key), algorithm: 'ec-p256' as const }])),
    certificates: Object.fromEntries(
      planned.map(({ path, key, authority }) => [path, { ...at(path), mode: '0644', key, authority }]),
    ),
    authorities: authoritiesOf(server, own),
    secrets: secretsOf(server),
  };
}

const allHolders = (server: ServerContext) => server.server.roles.flatMap((role) => holders[role](server));

export const authorityName = ({ cluster }: { readonly cluster: string }, authority: Authority): string =>
  `${cluster}/${authority}`;

/** The path of an authority's certificate for programs of this folder. */
export const authorityFiles = {
  kubernetes: '/etc/kubernetes/pki/ca.crt',
  etcd: '/etc/kubernetes/pki/etcd-ca.crt',
  'front-proxy': '/etc/kubernetes/pki/front-proxy-ca.crt',
} as const satisfies Record<Authority, string>;

function authoritiesOf(server: ServerContext, own: readonly Holder[]): ServerPki['authorities'] {
  const needed = [...new Set(own.map(({ authority }) => authority))].toSorted();
  return Object.fromEntries(
    needed
      .map(
        (authority) =>
          [authorityFiles[authority], { ...publicFile, authority: authorityName(server, authority) }] as const,
      )
      .toSorted(([a], [b]) => compareText(a, b)),
  );
}

/** The API server and the controllers of all control planes share the key of service accounts, and the API servers that of encryption. */
function secretsOf({ cluster, server }: ServerContext): ServerPki['secrets'] {
  if (!server.roles.includes('control-plane')) return {};
  const api = ownFile('kube-apiserver');
  return {
    '/etc/kubernetes/kube-apiserver/encryption.json': { ...api, secret: `${cluster}/encryption` },
    '/etc/kubernetes/kube-apiserver/service-accounts.key': { ...api, secret: `${cluster}/service-accounts` },
    '/etc/kubernetes/kube-apiserver/service-accounts.pub': { ...api, secret: `${cluster}/service-accounts-public` },
    '/etc/kubernetes/kube-controller-manager/service-accounts.key': {
      ...ownFile('kube-controller-manager'),
      secret: `${cluster}/service-accounts`,
    },
  };
}

function subjectNames(server: ServerContext, names: Holder['names']) {
  if (names === undefined) return { dnsNames: [], addresses: [] };
  const own = {
    dnsNames: [server.id, 'localhost'],
    addresses: [...texts(server.server.addresses), '127.0.0.1', '::1'],
  };
  if (names === 'server') return own;
  const { api, network } = server.fleet;
  const { domain, services } = network;
  const inside = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${domain}`];
  const first = services.map((prefix) => addressAt(prefix, 1)).filter((address) => address !== undefined);
  return {
    dnsNames: [...own.dnsNames, ...inside, ...api.names],
    addresses: [...own.addresses, api.vip.text, ...texts(first)],
  };
}

const texts = (addresses: readonly { readonly text: string }[]) => addresses.map(({ text }) => text);
