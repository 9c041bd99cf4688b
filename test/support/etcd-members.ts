import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import { findNodePrograms } from '../../lab/servers/programs.ts';
import { Server } from '../../src/model/spec/kinds.ts';
import { type CompiledFleet, compileFleet } from '../../src/planes/fleet/compile/compile.ts';
import type { ServerDocument } from '../../src/planes/fleet/compile/document.ts';
import { signLeaf } from '../../src/runtime/x509/certificate.ts';
import { findSalt } from '../../tools/salt/installation.ts';
import { binaries } from './clusters/binaries.ts';
import { fleetPlatform } from './fleet.ts';
import { FleetServer, SharedSecrets } from './fleet-server.ts';

/**
 * Real members of etcd, with the certificates and command lines of their documents, and the execution module that a Salt minion would run on each. All
 * are on one machine, each with an address of its own.
 */

const run = promisify(execFile);
const modules = resolve(import.meta.dirname, '../../salt/formulas/_modules');
const caller = join(import.meta.dirname, 'fleet-units/call.py');

type Answer = Readonly<Record<string, unknown>>;

const addressOf = (name: string) => `10.1.0.${(name.includes('control') ? 10 : 20) + Number(name.slice(-1))}`;
export const peerOf = (name: string) => `https://${addressOf(name)}:2380`;

interface Programs {
  /** The folder of the programs of a control plane, and that of etcdctl. */
  readonly etcd: string;
  readonly node: string;
  /** One that can import `salt`. */
  readonly python: string;
}

/** The names of the members are `site0-etcd0` to `site0-etcd9`; `site0-control0` to 2 can be installed beside them. */
class EtcdMembers {
  readonly #shared = new SharedSecrets();
  readonly #servers = new Map<string, FleetServer>();
  readonly #folder: string;
  readonly #programs: Programs;

  private constructor(folder: string, programs: Programs) {
    this.#folder = folder;
    this.#programs = programs;
  }

  static async prepare(): Promise<EtcdMembers> {
    const [etcd, node, { python }] = await Promise.all([
      binaries(),
      findNodePrograms(process.env),
      findSalt(process.env),
    ]);
    return new EtcdMembers(await mkdtemp(join(tmpdir(), 'tideline-etcd-')), { etcd, node, python });
  }

  /** Writes the documents of a cluster with these members, for the ones that are set up now. */
  async install(members: readonly string[], which: readonly string[] = members): Promise<void> {
    const { documents, pkiPlan } = compiled(members);
    for (const name of which) {
      const root = join(this.#folder, name);
      if (!this.#servers.has(name)) await run('ip', ['address', 'replace', `${addressOf(name)}/32`, 'dev', 'lo']);
      const server = new FleetServer(onItsAddress(documents.get(name), name), root, this.#programOf, this.#shared);
      await mkdir(root, { recursive: true });
      await server.install(pkiPlan[name] ?? []);
      await writeFile(join(root, 'document.json'), JSON.stringify(server.document));
      this.#servers.set(name, server);
    }
  }

  server(name: string): FleetServer {
    const server = this.#servers.get(name);
    if (server === undefined) throw new Error(`${name} is not installed`);
    return server;
  }

  async start(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      const unit = name.includes('control') ? 'kube-apiserver.service' : 'etcd.service';
      await this.server(name).start(unit);
    }
  }

  async kill(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.server(name).stop();
  }

  /** The URL of the API server of a control plane, and a client with every right. */
  api(name: string): { readonly url: string; readonly tls: { ca: string; cert: string; key: string } } {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const authority = 'site0/kubernetes';
    const content = { commonName: 'admin', organisations: ['system:masters'], usages: ['client'], hosts: [] } as const;
    const cert = signLeaf(this.#shared.issuer(authority), { ...content, ...this.#shared.validity }, publicKey);
    const key = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
    const ca = this.#shared.authorities.get(authority) ?? '';
    return { url: `https://${addressOf(name)}:6443`, tls: { ca, cert, key } };
  }

  /** The disk of a member is a new one. */
  async loseDisk(name: string): Promise<void> {
    await this.kill(name);
    await rm(this.server(name).at('/var/lib/etcd/member'), { recursive: true });
  }

  /** What `tideline_etcd.FUNCTION` answers on a server; rejects with what it refuses. */
  async call(name: string, fn: string, args: object = {}): Promise<Answer> {
    const root = join(this.#folder, name);
    const order = [caller, join(modules, 'tideline_etcd.py'), join(root, 'document.json'), fn, JSON.stringify(args)];
    const path = `${root}/bin:${process.env['PATH']}`;
    const { stdout } = await run(this.#programs.python, order, { env: { PATH: path, PYTHONDONTWRITEBYTECODE: '1' } });
    const answer = JSON.parse(stdout) as { readonly value?: Answer; readonly error?: string };
    if (answer.value === undefined) throw new Error(answer.error);
    return answer.value;
  }

  /** Runs etcdctl against a member. */
  async etcdctl(name: string, ...order: readonly string[]): Promise<string> {
    const pki = this.server(name).at('/etc/etcd/pki/healthcheck-client');
    const tls = [
      `--cacert=${this.server(name).at('/etc/kubernetes/pki/etcd-ca.crt')}`,
      `--cert=${pki}.crt`,
      `--key=${pki}.key`,
    ];
    const endpoint = `--endpoints=https://${addressOf(name)}:2379`;
    const { stdout } = await run(join(this.#programs.node, 'etcdctl'), [endpoint, ...tls, ...order]);
    return stdout.trim();
  }

  async end(): Promise<void> {
    for (const server of this.#servers.values()) await server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  readonly #programOf = (name: string): string =>
    join(name.startsWith('etcd') && name !== 'etcd' ? this.#programs.node : this.#programs.etcd, name);
}

/** Members for the tests of a file; the caller installs and starts them. */
export function withEtcdMembers(): () => EtcdMembers {
  let members: EtcdMembers | undefined;
  beforeAll(async () => {
    members = await EtcdMembers.prepare();
  });
  afterAll(async () => {
    await members?.end();
  });
  return () => {
    if (members === undefined) throw new Error('members are there only inside tests and hooks');
    return members;
  };
}

function compiled(members: readonly string[]): CompiledFleet {
  const platform = fleetPlatform({ dedicatedEtcd: true, workersPerSite: 0, bladesPerSite: 2 });
  const others = [...platform.servers].filter(([, { spec }]) => !spec.roles.includes('etcd'));
  const own = members.map((name, index) => {
    const spec = { site: 'site0', cluster: 'site0', class: 'plain', roles: ['etcd'] };
    const object = { apiVersion: 'tideline.dev/v1alpha1', kind: 'Server', metadata: { name } };
    return [
      name,
      Server.parse({ ...object, spec: { ...spec, rack: `r${index}`, addresses: [addressOf(name)] } }),
    ] as const;
  });
  return compileFleet({ ...platform, servers: new Map([...others, ...own]) }, {});
}

/** Members that share a machine cannot share its loopback address, and come from their own ones, for which their certificates are. */
function onItsAddress(document: ServerDocument | undefined, name: string): ServerDocument {
  const text = JSON.stringify(document)
    .replaceAll(',https://127.0.0.1:2379', '')
    .replaceAll('--secure-port=', `--bind-address=${addressOf(name)} --secure-port=`)
    .replaceAll('InitialCorruptCheck=true', 'InitialCorruptCheck=true,SetMemberLocalAddr=true')
    .replaceAll('http://127.0.0.1:2381', `http://${addressOf(name)}:2381`);
  return JSON.parse(text);
}
