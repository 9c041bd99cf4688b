import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../src/model/values.ts';
import type { ServerDocument } from '../../src/planes/fleet/compile/document.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Binaries } from '../control-plane/binaries.ts';
import type { Daemon } from '../daemons/process.ts';
import { stillMissing } from '../missing.ts';
import type { Network } from '../net/network.ts';
import { serving, sleeping, writeImage } from '../servers/image.ts';
import { installSalt, saltCall, sharedSalt, withoutMaster } from '../servers/salt.ts';
import { bootServer, type Server } from '../servers/server.ts';
import { type Admin, makeAdmin } from './admin.ts';
import { asInTheLab } from './differences.ts';
import { Operator, operatorAddress, operatorName } from './operator.ts';
import { type LabArtifact, makeRelease, shared } from './release.ts';
import { place, startRouter } from './router.ts';
import { cluster, type FleetShape, router, serversOf, writeSpec } from './spec.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../..');
const tideline = join(repository, 'bin/tideline');

/** An image that pods of the lab run: it answers with their name. */
export const podImage = 'lab.example/pod:1';
/** The second is what containerd takes for the container that holds the network of a pod. */
const images = { [podImage]: serving, 'registry.k8s.io/pause:3.6': sleeping };

/** What Salt says of one state. `result` is null when a run with `test=True` would change something. */
export interface StateResult {
  readonly __id__: string;
  readonly result: boolean | null;
  readonly changes: Readonly<Record<string, unknown>>;
  readonly comment: string;
}

export interface FleetOptions {
  /** An empty folder for everything: spec, documents, authorities, disks. It must lie on no overlay. */
  readonly folder: string;
  readonly network: Network;
  readonly shape: FleetShape;
  /** What `make servers`, `make kubernetes` and `make salt` made. */
  readonly root: string;
  readonly programs: string;
  readonly binaries: Binaries;
  readonly salt: string;
  /** Called when a stage has ended. */
  readonly say?: (stage: string) => void;
}

/** Servers, and what an operator has on a machine of their own: the spec, the documents, the authorities. */
export class LabFleet {
  readonly #options: FleetOptions;
  readonly servers = new Map<string, Server>();
  #release: readonly LabArtifact[] = [];
  router: Daemon | undefined;
  #operator: Server | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Makes the spec, compiles it, starts the router and boots every server with Salt on it. No server is anything yet. */
  async boot(): Promise<void> {
    const { folder, network, shape, binaries } = this.#options;
    await mkdir(this.#at('files'), { recursive: true });
    this.#release = await makeRelease(this.#at('files'), binaries.versions);
    await writeFile(this.#at('passphrase'), 'the passphrase of a lab\n', { mode: 0o600 });
    await this.compile(shape);
    this.#say('compiled');
    this.router = await startRouter(
      network,
      folder,
      [...serversOf({ masters: 9, workers: 9, blades: 9 })].map(({ address }) => address),
    );
    await Promise.all(serversOf(shape).map(async ({ name }) => await this.bootServer(name)));
    this.#say('booted');
  }

  /**
   * From nothing to a cluster with its own objects: everything above and below in its order, all servers at once. The first member
   * of etcd and the first API server wait for the others. Rejects with the states that failed.
   */
  async create(): Promise<Admin> {
    await this.boot();
    await this.sign();
    const admin = await this.admin();
    const workers = serversOf(this.#options.shape).filter(({ roles }) => roles.includes('worker'));
    await Promise.all([
      ...[...this.servers.keys()].map(async (name) => await this.#whole(name)),
      this.#objects(admin),
      ...workers.map(async ({ name }) => await this.importImages(name)),
    ]);
    this.#say('applied');
    return admin;
  }

  /** Applies the document of a server; rejects when one of its states failed. */
  async #whole(name: string): Promise<void> {
    const failed = (await this.apply(name)).filter(({ result }) => result === false);
    if (failed.length === 0) return;
    throw new Error(`${name}: ${failed.map(({ __id__: id, comment }) => `${id}: ${comment}`).join('\n')}`);
  }

  async #objects(admin: Admin): Promise<void> {
    await patiently(async () => await admin.kubectl(['get', '--raw', '/readyz']));
    this.#say('the API is ready');
    // Once more, when the first call made kinds that objects of it are of.
    const apply = [
      'apply',
      '--server-side',
      '--field-manager=tideline-fleet',
      '-f',
      this.#at(`out/objects/${cluster}.json`),
    ];
    await patiently(async () => await admin.kubectl(apply));
    this.#say('the cluster has its objects');
  }

  /** Imports the images into the containerd of a worker as soon as it runs: there is no registry. */
  async importImages(name: string): Promise<void> {
    const server = this.server(name);
    await patiently(async () => await server.exec('systemctl is-active containerd'));
    for (const [image, content] of Object.entries(images)) {
      const file = this.#at(`${basename(image)}.tar`);
      await writeImage(`${file}.${name}`, image, this.#options.root, content);
      await server.copyIn(`${file}.${name}`, '/srv/image.tar');
      await server.exec('/opt/containerd/ctr -n k8s.io images import /srv/image.tar; rm /srv/image.tar');
    }
  }

  /** Writes the spec of this shape and compiles it into the documents. */
  async compile(shape: FleetShape): Promise<void> {
    await writeSpec(this.#at('platform'), shape, {
      artifacts: this.#release,
      versions: this.#options.binaries.versions,
    });
    await this.tideline('compile', '--out', this.#at('out'));
  }

  /** Runs `tideline fleet VERB PLATFORM …`, as an operator does. */
  async tideline(verb: string, ...args: readonly string[]): Promise<string> {
    return (await run(tideline, ['fleet', verb, this.#at('platform'), ...args])).stdout;
  }

  /** Boots a server of the spec. */
  async bootServer(name: string): Promise<Server> {
    const [address = ''] = (await this.#document(name)).server.addresses;
    const server = await this.#bootBare(name, address);
    this.servers.set(name, server);
    return server;
  }

  /** A server whose disk was lost: the same name and address, and nothing else. */
  async bootEmpty(name: string): Promise<Server> {
    await this.server(name).remove();
    return await this.bootServer(name);
  }

  /** Boots the machine of an operator, whose Salt master the servers that are there get. */
  async bootOperator(): Promise<Operator> {
    const server = await this.#bootBare(operatorName, operatorAddress);
    const operator = new Operator(server);
    this.#operator = server;
    await operator.start([...this.servers.values()]);
    return operator;
  }

  async #bootBare(name: string, address: string): Promise<Server> {
    const { network, root, programs, binaries, salt } = this.#options;
    const server = await bootServer({
      name,
      root,
      folder: this.#at(`disk-${name}`),
      network,
      bridge: place,
      addresses: [`${address}/24`],
      routes: [`default via ${router.address}`],
      shared: {
        ...sharedSalt(salt),
        [shared.controlPlane]: binaries.folder,
        [shared.node]: programs,
        [shared.tideline]: repository,
        '/srv/tideline/salt': join(repository, 'salt'),
        '/srv/tideline/files': this.#at('files'),
      },
    });
    // Salt looks for its own name, for ten seconds where nothing knows it.
    await server.write('/etc/hosts', `127.0.0.1 localhost\n${address} ${name}\n`);
    await installSalt(server, {
      ...withoutMaster,
      file_roots: { base: ['/srv/tideline/salt/formulas', '/srv/tideline/files'] },
      module_dirs: ['/srv/tideline/salt'],
      ext_pillar: [{ tideline: { folder: '/srv/tideline/documents', secrets: '/srv/tideline/secrets' } }],
    });
    return server;
  }

  /** Makes the keys on these servers, signs what they hand in, and writes the certificates into the documents. */
  async sign(names: readonly string[] = [...this.servers.keys()]): Promise<void> {
    await mkdir(this.#at('keys'), { recursive: true });
    await Promise.all(
      names.map(async (name) => {
        await this.apply(name, 'tideline.pki');
        const server = this.server(name);
        await saltCall(server, 'saltutil.sync_modules');
        const keys = await saltCall(server, 'tideline.public_keys');
        await writeFile(this.#at('keys', `${name}.json`), JSON.stringify(keys));
      }),
    );
    this.#say('keys made on the servers');
    const safe = ['--authorities', this.#at('safe'), '--passphrase-file', this.#at('passphrase')];
    const out = this.#at('out');
    await this.tideline(
      'sign',
      '--out',
      out,
      '--public-keys',
      this.#at('keys'),
      ...safe,
      '--create-authorities',
      '--yes',
    );
    await this.tideline('compile', '--out', out);
    this.#say('signed');
  }

  /** Hands the server its document and its secrets, and applies it: `state.apply`, with these arguments. Resolves with every state. */
  async apply(name: string, ...args: readonly string[]): Promise<readonly StateResult[]> {
    const server = this.server(name);
    await server.write(
      `/srv/tideline/documents/${name}.json`,
      JSON.stringify(asInTheLab(await this.#document(name))),
      0o600,
    );
    const secrets = await readFile(this.#at('out/secrets', `${name}.json`), 'utf8').catch(() => undefined);
    if (secrets !== undefined) await server.write(`/srv/tideline/secrets/${name}.json`, secrets, 0o600);
    const answer = await saltCall(server, 'state.apply', ...args);
    if (Array.isArray(answer)) throw new Error(`${name}: ${answer.join('\n')}`);
    return Object.values(answer as Readonly<Record<string, StateResult>>);
  }

  async admin(): Promise<Admin> {
    const { network, folder, binaries } = this.#options;
    const [safe, passphraseFile] = [this.#at('safe'), this.#at('passphrase')];
    return await makeAdmin({ network, folder, safe, passphraseFile, kubectl: binaries.kubectl });
  }

  server(name: string): Server {
    const server = this.servers.get(name);
    if (server === undefined) throw new Error(`there is no server ${name}`);
    return server;
  }

  /** Ends everything; the folder stays. */
  async remove(): Promise<void> {
    const servers = [...this.servers.values(), ...(this.#operator === undefined ? [] : [this.#operator])];
    await Promise.all(servers.map(async (server) => await server.remove()));
    await this.router?.stop();
  }

  async #document(name: string): Promise<ServerDocument> {
    return JSON.parse(await readFile(this.#at('out/documents', `${name}.json`), 'utf8')) as ServerDocument;
  }

  #at(...parts: readonly string[]): string {
    return join(this.#options.folder, ...parts);
  }

  #say(stage: string): void {
    this.#options.say?.(stage);
  }
}

/** Calls until it does not fail, for as long as a busy machine may take to start a cluster; then its error is that of the last call. */
async function patiently(call: () => Promise<unknown>): Promise<void> {
  let last: unknown;
  const attempt = async (): Promise<string | undefined> =>
    await call().then(
      () => undefined,
      (error: unknown) => messageOf((last = error)),
    );
  const missing = await stillMissing(attempt, { clock: systemClock, timeoutMs: 240_000, everyMs: 250 });
  if (missing !== undefined) throw last;
}
