import { dirname, isAbsolute, resolve } from 'node:path';
import {
  type Cluster,
  type Context,
  newClusters,
  newContexts,
  newUsers,
  type User,
} from '@kubernetes/client-node/dist/config_types.js';
import { parse } from 'yaml';
import { withoutUndefined } from '../../../model/values.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { type Access, type AccessSource, noCredentials, type Tls } from './access.ts';
import { type ExecCredential, ExecPlugin } from './exec.ts';
import { WatchedFiles } from './files.ts';

/** One context of a kubeconfig, with absolute paths. */
interface Login {
  readonly text: string;
  readonly cluster: Cluster;
  readonly user: User;
  /** The field `tokenFile`, which the library does not read. It takes precedence over `token`, as in kubectl. */
  readonly tokenFile?: string;
  readonly plugin?: ExecPlugin;
  /** Makes the headers of an `auth-provider` by means of the library; absent without one. */
  readonly provider?: Promise<HeaderMaker>;
}

type HeaderMaker = () => Promise<Readonly<Record<string, string>>>;

/** Access by a kubeconfig file. The file is read again when it or a file that it names changes. */
export class KubeconfigAccess implements AccessSource {
  readonly #file: string;
  readonly #context: string | undefined;
  readonly #clock: Clock;
  readonly #files: WatchedFiles;
  #login: Login | undefined;
  #pluginRuns = 0;

  constructor(options: { readonly file: string; readonly context?: string | undefined; readonly clock: Clock }) {
    this.#file = resolve(options.file);
    this.#context = options.context;
    this.#clock = options.clock;
    this.#files = new WatchedFiles(options.clock);
  }

  get reloads(): number {
    return this.#files.reloads + Math.max(0, this.#pluginRuns + (this.#login?.plugin?.runs ?? 0) - 1);
  }

  async read(): Promise<Access> {
    const { cluster, user, tokenFile, plugin, provider } = await this.#current();
    const executed = await plugin?.get();
    const [tls, token, provided] = await Promise.all([
      this.#tls(cluster, user, executed),
      tokenFile === undefined ? user.token : this.#files.read(tokenFile),
      provider?.then((headers) => headers()),
    ]);
    const bearer = executed?.token ?? token?.trim();
    const basic =
      user.username === undefined || user.username === null
        ? undefined
        : Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64');
    return {
      // A password in the address is not sent, so it must not be shown either, in whatever the server is named.
      server: cluster.server.replace(/^(https?:\/\/)[^/?#]*@/, '$1'),
      tls,
      headers: {
        ...(basic === undefined ? {} : { authorization: `Basic ${basic}` }),
        ...provided,
        ...(bearer === undefined || bearer === '' ? {} : { authorization: `Bearer ${bearer}` }),
        ...(user.impersonateUser ? { 'impersonate-user': user.impersonateUser } : {}),
      },
      ...(cluster.proxyUrl ? { proxy: cluster.proxyUrl } : {}),
    };
  }

  forget(): void {
    this.#files.forget();
    this.#login?.plugin?.forget();
  }

  async #current(): Promise<Login> {
    const text = await this.#files.read(this.#file);
    if (this.#login?.text === text) return this.#login;
    const login = this.#parse(text);
    this.#pluginRuns += this.#login?.plugin?.runs ?? 0;
    this.#login = login;
    return login;
  }

  #parse(text: string): Login {
    const folder = dirname(this.#file);
    try {
      const config = parse(text) as Readonly<Record<string, unknown>>;
      const contexts: readonly Context[] = newContexts(config['contexts'], {});
      const current = config['current-context'];
      const wanted = this.#context ?? (typeof current === 'string' ? current : '');
      const context = named(contexts, 'context', wanted);
      const cluster = named<Cluster>(newClusters(config['clusters'], {}), 'cluster', context.cluster);
      const user =
        context.user === undefined
          ? ({ name: '' } as User)
          : named<User>(newUsers(config['users'], {}), 'user', context.user);
      const tokenFile = rawUser(config['users'], user.name)['tokenFile'];
      const placed = { ...cluster, ...absolute(folder, 'caFile', cluster.caFile) };
      const plugin = this.#plugin(user, folder, placed, execConfig(config['clusters'], cluster.name));
      return {
        text,
        cluster: placed,
        user: {
          ...user,
          ...absolute(folder, 'certFile', user.certFile),
          ...absolute(folder, 'keyFile', user.keyFile),
        },
        ...(typeof tokenFile === 'string' ? { tokenFile: resolve(folder, tokenFile) } : {}),
        ...withoutUndefined({ plugin }),
        ...(plugin === undefined && user.authProvider ? { provider: this.#provider(text, context.name) } : {}),
      };
    } catch (error) {
      // The message of a YAML error quotes the file, which may hold a token.
      const said = error instanceof Error && error.name !== 'YAMLParseError' ? error.message : 'it is not YAML';
      throw noCredentials(`${this.#file}: ${said}`);
    }
  }

  /**
   * The exec plugin of a user. A relative command with a slash starts from the folder of the kubeconfig, one without a slash
   * is found in PATH.
   */
  #plugin(user: User, folder: string, cluster: Cluster, config: unknown): ExecPlugin | undefined {
    const exec = user.exec as RawExec | null | undefined;
    if (exec === null || exec === undefined) return undefined;
    const { command = '', apiVersion = 'client.authentication.k8s.io/v1', provideClusterInfo = false } = exec;
    const path = command.includes('/') && !isAbsolute(command) ? resolve(folder, command) : command;
    const info = async (): Promise<string> => {
      const ca = provideClusterInfo ? await this.#pem(cluster.caFile, cluster.caData) : undefined;
      const told = provideClusterInfo ? { cluster: clusterInfo(cluster, ca, config) } : {};
      return JSON.stringify({ kind: 'ExecCredential', apiVersion, spec: { ...told, interactive: false } });
    };
    return new ExecPlugin({ user: { ...user, exec: { ...exec, command: path } }, info, clock: this.#clock });
  }

  /** Loads the whole library for OIDC and the old cloud providers, which are rare and alone need it (decision 42). */
  async #provider(text: string, context: string): Promise<HeaderMaker> {
    const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
    const config = new KubeConfig();
    config.loadFromString(text);
    config.makePathsAbsolute(dirname(this.#file));
    config.setCurrentContext(context);
    return async () => {
      const options: { headers?: Record<string, string> } = {};
      await config.applyToHTTPSOptions(options);
      return Object.fromEntries(
        Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
      );
    };
  }

  async #tls(cluster: Cluster, user: User, executed: ExecCredential | undefined): Promise<Tls> {
    const [ca, cert, key] = await Promise.all([
      this.#pem(cluster.caFile, cluster.caData),
      executed?.cert ?? this.#pem(user.certFile, user.certData),
      executed?.key ?? this.#pem(user.keyFile, user.keyData),
    ]);
    return {
      ...withoutUndefined({ ca, cert, key }),
      ...(cluster.tlsServerName ? { servername: cluster.tlsServerName } : {}),
      ...(cluster.skipTLSVerify ? { rejectUnauthorized: false } : {}),
    };
  }

  /** Reads a PEM text. Inline data takes precedence over a file, as in kubectl. */
  async #pem(file: string | undefined, data: string | undefined): Promise<string | undefined> {
    if (data) return Buffer.from(data, 'base64').toString('utf8');
    return file ? this.#files.read(file) : undefined;
  }
}

function named<T extends { readonly name: string }>(list: readonly T[], what: string, name: string): T {
  const found = list.find((item) => item.name === name);
  if (found !== undefined) return found;
  const names = list.map((item) => item.name).join(', ') || 'none';
  throw new Error(`no ${what} ${JSON.stringify(name)} (there are: ${names})`);
}

function rawUser(users: unknown, name: string): Readonly<Record<string, unknown>> {
  const list = Array.isArray(users) ? (users as readonly { name?: string; user?: Record<string, unknown> }[]) : [];
  return list.find((user) => user.name === name)?.user ?? {};
}

function absolute<K extends string>(folder: string, key: K, file: string | undefined): { readonly [P in K]?: string } {
  // The key is K; a computed key widens to string.
  return (file ? { [key]: resolve(folder, file) } : {}) as { readonly [P in K]?: string };
}

/** The name of the extension of a cluster whose content exec plugins are told. */
const execExtension = 'client.authentication.k8s.io/exec';

/** What the exec extension of this cluster holds; undefined when it has none. */
function execConfig(clusters: unknown, name: string): unknown {
  const list = Array.isArray(clusters) ? (clusters as readonly RawCluster[]) : [];
  const extensions = list.find((one) => one.name === name)?.cluster?.extensions ?? [];
  return extensions.find((one) => one.name === execExtension)?.extension;
}

interface RawCluster {
  readonly name?: string;
  readonly cluster?: {
    readonly extensions?: readonly { readonly name?: string; readonly extension?: unknown }[] | null;
  };
}

interface RawExec {
  readonly command?: string;
  readonly apiVersion?: string;
  readonly provideClusterInfo?: boolean;
}

/** The cluster as exec plugins are told it (`ExecCredential.spec.cluster`), when the kubeconfig says `provideClusterInfo`. */
function clusterInfo(cluster: Cluster, ca: string | undefined, config: unknown): object {
  return {
    server: cluster.server,
    ...(cluster.tlsServerName ? { 'tls-server-name': cluster.tlsServerName } : {}),
    ...(cluster.skipTLSVerify ? { 'insecure-skip-tls-verify': true } : {}),
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(cluster.proxyUrl ? { 'proxy-url': cluster.proxyUrl } : {}),
    config: config ?? null,
  };
}
