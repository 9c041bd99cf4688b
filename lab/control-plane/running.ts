import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/runtime/clock.ts';
import { stillMissing } from '../missing.ts';
import { readAudit } from './audit.ts';
import { isPopulated } from './checks.ts';
import type { AuthenticatedClient } from './client.ts';
import type { ComponentProcess } from './component.ts';
import type { AuditEvent, Component, ControlPlane, Identity } from './control-plane.ts';
import type { Identities } from './identities.ts';
import { runKubectl } from './kubectl.ts';
import { certificateOf, type Pki } from './pki/pki.ts';
import type { Place } from './place.ts';
import type { Answer } from './request.ts';

export interface Parts {
  readonly folder: string;
  readonly place: Place;
  readonly pki: Pki;
  readonly identities: Identities;
  readonly client: AuthenticatedClient;
  readonly auditLog: string;
  /** The path of the program kubectl. */
  readonly kubectl: string;
  /** The administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly components: Readonly<Record<Component, ComponentProcess>>;
}

const restartTimeoutMs = 120_000;
/** Without this limit apiserver and etcd wait much longer for their clients to close connections; a kill loses nothing here. */
const graceMs = 2000;
const tokenSeconds = 3600;

/** A control plane on this machine; `startControlPlane` makes it. */
export class RunningControlPlane implements ControlPlane {
  readonly url: string;
  readonly kubeconfig: string;
  readonly authority: string;
  readonly folder: string;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.folder = parts.folder;
    this.kubeconfig = parts.kubeconfig;
    this.url = parts.identities.url;
    this.authority = certificateOf(parts.pki.files.authority);
  }

  /** Starts every component in order; resolves when all of them work. */
  async startAll(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    const left = (): number => Math.max(0, deadline - performance.now());
    const { etcd, 'kube-apiserver': apiserver, ...others } = this.#parts.components;
    etcd.launch();
    await etcd.ready(left());
    apiserver.launch();
    await apiserver.ready(left());
    const clients = Object.values(others);
    for (const client of clients) client.launch();
    await Promise.all(clients.map((client) => client.ready(left())));
    await this.#waitUntilPopulated(left());
  }

  kubectl(args: readonly string[], input?: string): Promise<string> {
    const { place, kubectl, kubeconfig, folder } = this.#parts;
    const own = [`--kubeconfig=${kubeconfig}`, `--cache-dir=${join(folder, 'kubectl-cache')}`];
    return runKubectl(place, kubectl, [...own, ...args], input);
  }

  async read<T>(path: string): Promise<T> {
    const { status, body } = await this.#parts.client.apiserver(path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${body}`);
    return JSON.parse(body) as T;
  }

  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    await this.kubectl(['apply', '--server-side', '--field-manager=tideline-test', '-f', '-'], JSON.stringify(list));
  }

  kubeconfigFor(
    identity: Identity,
    options: { readonly validSeconds?: number; readonly server?: string } = {},
  ): Promise<string> {
    return this.#parts.identities.writeWithCertificate(identity, options);
  }

  async kubeconfigForServiceAccount(namespace: string, name: string): Promise<string> {
    const core = '/api/v1/namespaces';
    const accounts = `${core}/${namespace}/serviceaccounts`;
    await this.#post(core, { metadata: { name: namespace } }, [201, 409]);
    await this.#post(accounts, { metadata: { name } }, [201, 409]);
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: tokenSeconds },
    };
    const answer = await this.#post(`${accounts}/${name}/token`, request, [201]);
    const { status } = JSON.parse(answer.body) as { status: { token: string } };
    return this.#parts.identities.writeWithToken(`system:serviceaccount:${namespace}:${name}`, status.token);
  }

  audit(filter?: (event: AuditEvent) => boolean): Promise<readonly AuditEvent[]> {
    return readAudit(this.#parts.auditLog, filter);
  }

  pid(component: Component): number | undefined {
    return this.#parts.components[component].pid;
  }

  signal(component: Component, signal: NodeJS.Signals): void {
    this.#parts.components[component].signal(signal);
  }

  async restart(component: Component): Promise<void> {
    await this.end(component);
    await this.start(component);
  }

  async end(component: Component): Promise<void> {
    await this.#parts.components[component].end(graceMs);
  }

  async start(component: Component): Promise<void> {
    const process = this.#parts.components[component];
    process.launch();
    await process.ready(restartTimeoutMs);
  }

  async compact(): Promise<void> {
    const { client } = this.#parts;
    const range = await client.etcd('/v3/kv/range', 'POST', { key: Buffer.from([0]).toString('base64') });
    const { revision } = (JSON.parse(range.body) as { header: { revision: string } }).header;
    const answer = await client.etcd('/v3/kv/compaction', 'POST', { revision, physical: true });
    if (answer.status !== 200) throw new Error(`etcd did not compact: ${answer.body}`);
    if (this.pid('kube-apiserver') !== undefined) await this.restart('kube-apiserver');
  }

  async rotateAuthority(options: { readonly keepKubeconfigs?: boolean } = {}): Promise<void> {
    const { pki, identities } = this.#parts;
    await pki.rotate();
    await identities.rewrite(options.keepKubeconfigs === true ? 'components' : 'all');
    await this.restart('kube-apiserver');
    await Promise.all([this.restart('kube-controller-manager'), this.restart('kube-scheduler')]);
  }

  rewriteKubeconfigs(): Promise<void> {
    return this.#parts.identities.rewrite('all');
  }

  async stop(): Promise<void> {
    const { components, place, folder } = this.#parts;
    await Promise.all(Object.values(components).map((component) => component.kill()));
    place.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }).catch(() => undefined);
  }

  async #post(path: string, body: unknown, expected: readonly number[]): Promise<Answer> {
    const answer = await this.#parts.client.apiserver(path, 'POST', body);
    if (!expected.includes(answer.status)) throw new Error(`POST ${path}: ${answer.status} ${answer.body}`);
    return answer;
  }

  async #waitUntilPopulated(timeoutMs: number): Promise<void> {
    const { client, components } = this.#parts;
    const missing = async (): Promise<string | undefined> => {
      if (await isPopulated(client).catch(() => false)) return undefined;
      const controllers = components['kube-controller-manager'];
      if (controllers.pid === undefined) await controllers.ready(0);
      return `the default namespace is not filled after ${timeoutMs} ms`;
    };
    const word = await stillMissing(missing, { clock: systemClock, timeoutMs, everyMs: 50 });
    if (word !== undefined) throw new Error(word);
  }
}
