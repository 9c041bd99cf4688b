import type { FileAccess, ServerDocument } from '../../src/planes/fleet/compile/document.ts';

/** The rules of kube-bench's profile cis-1.12 that a document can answer, by their numbers there, in our own words. */

export interface Rule {
  readonly id: string;
  readonly what: string;
  /** Whether a document with the component keeps it. */
  readonly holds: (server: Judged) => boolean;
  /** The unit that the rule is about; documents without it are not judged. */
  readonly unit: string;
  /** Why the rule is not kept, on purpose. A rule that is kept has none. */
  readonly waiver?: string;
}

/** A document, as rules ask it. */
export class Judged {
  readonly document: ServerDocument;
  readonly #unit: string;

  constructor(document: ServerDocument, unit: string) {
    this.document = document;
    this.#unit = unit;
  }

  /** The value of a flag of the unit's program. */
  flag(name: string): string | undefined {
    const text = this.document.components
      .map(({ units }) => units[this.#unit]?.text)
      .find((found) => found !== undefined);
    return new RegExp(`^ {2}--${name}=(.*?)(?: \\\\)?$`, 'm').exec(text ?? '')?.[1];
  }

  /** A field of a file of JSON. */
  field(path: string, ...names: readonly string[]): unknown {
    const files = this.document.components.map(({ files: own }) => own[path]?.text);
    let value: unknown = JSON.parse(files.find((text) => text !== undefined) ?? '{}');
    for (const name of names)
      value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
    return value;
  }

  /** Everything at or below a path: files, folders, and what belongs to the PKI. */
  below(path: string): readonly FileAccess[] {
    const { components, pki } = this.document;
    const tables = components.flatMap(({ files, directories }) => [files, directories]);
    const all = [...tables, pki.keys, pki.certificates, pki.authorities, pki.secrets].flatMap(Object.entries);
    return all.filter(([name]) => name === path || name.startsWith(`${path}/`)).map(([, access]) => access);
  }
}

const api = 'kube-apiserver.service';
const manager = 'kube-controller-manager.service';
const scheduler = 'kube-scheduler.service';
const member = 'etcd.service';
const kubelet = 'kubelet.service';
const proxy = 'kube-proxy.service';
const kubeletConfig = '/etc/kubernetes/kubelet/config.json';
const proxyConfig = '/etc/kubernetes/kube-proxy/config.json';

type Holds = Rule['holds'];
const is =
  (flag: string, value: string): Holds =>
  (server) =>
    server.flag(flag) === value;
const set =
  (...flags: readonly string[]): Holds =>
  (server) =>
    flags.every((flag) => server.flag(flag) !== undefined);
const absent =
  (flag: string): Holds =>
  (server) =>
    server.flag(flag) === undefined;
const has =
  (flag: string, value: string): Holds =>
  (server) =>
    server.flag(flag)?.split(',').includes(value) === true;
const lacks =
  (flag: string, value: string): Holds =>
  (server) =>
    server.flag(flag)?.split(',').includes(value) !== true;
const least =
  (flag: string, value: number): Holds =>
  (server) =>
    Number(server.flag(flag)) >= value;
const field =
  (path: string, names: readonly string[], good: (value: unknown) => boolean): Holds =>
  (server) =>
    good(server.field(path, ...names));
const inKubelet = (names: string, good: (value: unknown) => boolean): Holds =>
  field(kubeletConfig, names.split('.'), good);
const strong = (suites: readonly unknown[] | undefined): boolean =>
  suites !== undefined &&
  suites.every((suite) => /^TLS_ECDHE_\w+_(GCM_SHA\d+|CHACHA20_POLY1305\w*)$/.test(String(suite)));

/** No bit of a mode beyond these, and where an owner is given, that one. */
const within =
  (path: string, mode: number, owner?: string): Holds =>
  (server) => {
    const found = server.below(path);
    const good = ({ mode: own, user }: FileAccess) =>
      (Number.parseInt(own, 8) & 0o666 & ~mode) === 0 && (owner === undefined || user === owner);
    return found.length > 0 && found.every(good);
  };

type Row = readonly [id: string, what: string, holds: Holds, waiver?: string];
const about = (unit: string, rows: readonly Row[]): readonly Rule[] =>
  rows.map(([id, what, holds, waiver]) => ({ id, what, holds, unit, ...(waiver === undefined ? {} : { waiver }) }));

const ownUser =
  'The program runs as a user of its own, who owns its files; root owning them would mean that it has to be root.';

export const rules: readonly Rule[] = [
  ...about(api, [
    ['1.1.19', 'The PKI belongs to root', within('/etc/kubernetes', 0o644, 'root'), ownUser],
    ['1.1.20', 'Certificates are written by their owner alone', within('/etc/kubernetes/pki', 0o644)],
    [
      '1.1.21',
      'Keys and configuration are read by their owner alone',
      (server) => Object.values(server.document.pki.keys).every(({ mode }) => mode === '0600'),
    ],
    [
      '1.2.1',
      'Nobody is anonymous',
      is('anonymous-auth', 'false'),
      'Anonymous requests reach the health endpoints and nothing else (`--authentication-config`): what announces the VIP asks them.',
    ],
    ['1.2.2', 'There is no file of static tokens', absent('token-auth-file')],
    ['1.2.3', 'Services may not claim external addresses', has('enable-admission-plugins', 'DenyServiceExternalIPs')],
    ['1.2.4', 'It shows kubelets a certificate', set('kubelet-client-certificate', 'kubelet-client-key')],
    ['1.2.5', 'It verifies the certificate of kubelets', set('kubelet-certificate-authority')],
    ['1.2.6', 'Not everything is allowed', lacks('authorization-mode', 'AlwaysAllow')],
    ['1.2.7', 'Kubelets see what concerns their node', has('authorization-mode', 'Node')],
    ['1.2.8', 'Rights come from roles', has('authorization-mode', 'RBAC')],
    ['1.2.9', 'Events are limited', has('enable-admission-plugins', 'EventRateLimit')],
    ['1.2.10', 'Admission is not switched off', lacks('enable-admission-plugins', 'AlwaysAdmit')],
    [
      '1.2.11',
      'Images are pulled for each pod',
      has('enable-admission-plugins', 'AlwaysPullImages'),
      'A pod then cannot start while the registry is away, which a site of its own must survive.',
    ],
    ['1.2.12', 'Pods have service accounts', lacks('disable-admission-plugins', 'ServiceAccount')],
    ['1.2.13', 'Nothing is made in a namespace that ends', lacks('disable-admission-plugins', 'NamespaceLifecycle')],
    ['1.2.14', 'A kubelet changes its own node alone', has('enable-admission-plugins', 'NodeRestriction')],
    ['1.2.15', 'Profiling is off', is('profiling', 'false')],
    ['1.2.16', 'There is an audit log', set('audit-log-path')],
    ['1.2.17', 'It is kept for 30 days', least('audit-log-maxage', 30)],
    ['1.2.18', 'It has ten files', least('audit-log-maxbackup', 10)],
    ['1.2.19', 'Of 100 MB each', least('audit-log-maxsize', 100)],
    ['1.2.20', 'Requests have a bound of time', set('request-timeout')],
    ['1.2.21', 'A deleted service account counts no more', is('service-account-lookup', 'true')],
    ['1.2.22', 'Tokens of service accounts are verified by a key of their own', set('service-account-key-file')],
    ['1.2.23', 'It shows etcd a certificate', set('etcd-certfile', 'etcd-keyfile')],
    ['1.2.24', 'It serves TLS', set('tls-cert-file', 'tls-private-key-file')],
    ['1.2.25', 'Clients have certificates of one authority', set('client-ca-file')],
    ['1.2.26', 'It verifies the certificate of etcd', set('etcd-cafile')],
    ['1.2.27', 'Secrets are encrypted in etcd', set('encryption-provider-config')],
    ['1.2.29', 'TLS has strong ciphers alone', (server) => strong(server.flag('tls-cipher-suites')?.split(','))],
    ['1.2.30', 'Tokens end when they say', is('service-account-extend-token-expiration', 'false')],
    ['3.2.1', 'There is an audit policy', set('audit-policy-file')],
  ]),
  ...about(manager, [
    [
      '1.1.17',
      'Its kubeconfig is read by its owner alone',
      within('/etc/kubernetes/kube-controller-manager/kubeconfig.json', 0o600),
    ],
    [
      '1.1.18',
      'Its kubeconfig belongs to root',
      within('/etc/kubernetes/kube-controller-manager/kubeconfig.json', 0o600, 'root'),
      ownUser,
    ],
    ['1.3.1', 'Pods that ended are removed', set('terminated-pod-gc-threshold')],
    ['1.3.2', 'Profiling is off', is('profiling', 'false')],
    ['1.3.3', 'Each controller has an account of its own', is('use-service-account-credentials', 'true')],
    ['1.3.4', 'It signs tokens by a key of their own', set('service-account-private-key-file')],
    ['1.3.5', 'Pods get the authority of the API', set('root-ca-file')],
    [
      '1.3.6',
      'Serving certificates of kubelets are rotated',
      lacks('feature-gates', 'RotateKubeletServerCertificate=false'),
    ],
    ['1.3.7', 'It listens on the loopback interface', is('bind-address', '127.0.0.1')],
  ]),
  ...about(scheduler, [
    [
      '1.1.15',
      'Its kubeconfig is read by its owner alone',
      within('/etc/kubernetes/kube-scheduler/kubeconfig.json', 0o600),
    ],
    [
      '1.1.16',
      'Its kubeconfig belongs to root',
      within('/etc/kubernetes/kube-scheduler/kubeconfig.json', 0o600, 'root'),
      ownUser,
    ],
    [
      '1.4.1',
      'Profiling is off',
      field('/etc/kubernetes/kube-scheduler/config.json', ['enableProfiling'], (value) => value === false),
    ],
    ['1.4.2', 'It listens on the loopback interface', is('bind-address', '127.0.0.1')],
  ]),
  ...about(member, [
    ['1.1.11', 'The data is read by its owner alone', within('/var/lib/etcd', 0o600)],
    ['1.1.12', 'The data belongs to etcd', within('/var/lib/etcd', 0o600, 'etcd')],
    ['2.1', 'It serves TLS', set('cert-file', 'key-file')],
    ['2.2', 'Clients have certificates', is('client-cert-auth', 'true')],
    ['2.3', 'It makes no certificate by itself', lacks('auto-tls', 'true')],
    ['2.4', 'Members show each other certificates', set('peer-cert-file', 'peer-key-file')],
    ['2.5', 'And verify them', is('peer-client-cert-auth', 'true')],
    ['2.6', 'And make none by themselves', lacks('peer-auto-tls', 'true')],
    [
      '2.7',
      'Its authority is not that of the API',
      (server) => server.flag('trusted-ca-file') !== '/etc/kubernetes/pki/ca.crt',
    ],
  ]),
  ...about(kubelet, [
    ['4.1.5', 'Its kubeconfig is read by its owner alone', within('/etc/kubernetes/kubelet/kubeconfig.json', 0o600)],
    ['4.1.6', 'Its kubeconfig belongs to root', within('/etc/kubernetes/kubelet/kubeconfig.json', 0o600, 'root')],
    ['4.1.7', 'The authority of clients is written by its owner alone', within('/etc/kubernetes/pki', 0o644)],
    ['4.1.8', 'The authority of clients belongs to root', within('/etc/kubernetes/pki', 0o644, 'root')],
    ['4.1.9', 'Its configuration is read by its owner alone', within(kubeletConfig, 0o600)],
    ['4.1.10', 'Its configuration belongs to root', within(kubeletConfig, 0o600, 'root')],
    ['4.2.1', 'Nobody is anonymous', inKubelet('authentication.anonymous.enabled', (value) => value === false)],
    ['4.2.2', 'Not everything is allowed', inKubelet('authorization.mode', (value) => value === 'Webhook')],
    [
      '4.2.3',
      'Clients have certificates of one authority',
      inKubelet('authentication.x509.clientCAFile', (value) => value !== undefined),
    ],
    ['4.2.4', 'There is no port without authentication', inKubelet('readOnlyPort', (value) => value === 0)],
    [
      '4.2.5',
      'Idle streams end',
      inKubelet('streamingConnectionIdleTimeout', (value) => value !== undefined && value !== '0' && value !== '0s'),
    ],
    ['4.2.6', 'It keeps its chains of iptables', inKubelet('makeIPTablesUtilChains', (value) => value === true)],
    ['4.2.7', 'Its name is that of the host', absent('hostname-override')],
    ['4.2.8', 'Events are recorded', inKubelet('eventRecordQPS', (value) => Number(value) > 0)],
    ['4.2.9', 'It serves TLS', inKubelet('tlsCertFile', (value) => value !== undefined)],
    ['4.2.10', 'Its client certificate is renewed', inKubelet('rotateCertificates', (value) => value !== false)],
    [
      '4.2.11',
      'Its serving certificate is renewed',
      inKubelet('featureGates.RotateKubeletServerCertificate', (value) => value !== false),
    ],
    [
      '4.2.12',
      'TLS has strong ciphers alone',
      inKubelet('tlsCipherSuites', (value) => Array.isArray(value) && strong(value)),
    ],
    ['4.2.13', 'A pod has a bound of processes', inKubelet('podPidsLimit', (value) => Number(value) > 0)],
    ['4.2.14', 'Containers have a seccomp profile', inKubelet('seccompDefault', (value) => value === true)],
  ]),
  ...about(proxy, [
    ['4.1.3', 'Its kubeconfig is read by its owner alone', within('/etc/kubernetes/kube-proxy/kubeconfig.json', 0o600)],
    [
      '4.1.4',
      'Its kubeconfig belongs to root',
      within('/etc/kubernetes/kube-proxy/kubeconfig.json', 0o600, 'root'),
      ownUser,
    ],
    [
      '4.3.1',
      'Its metrics are served on the loopback interface',
      field(proxyConfig, ['metricsBindAddress'], (value) => String(value).startsWith('127.0.0.1')),
    ],
  ]),
];
