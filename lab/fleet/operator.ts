import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Network } from '../net/network.ts';
import { admitMinions, installSalt, saltOnMaster, startSalt } from '../servers/salt.ts';
import type { Server } from '../servers/server.ts';
import { type Admin, adminOf } from './admin.ts';
import { shared } from './release.ts';
import { cluster } from './spec.ts';

/**
 * The machine of an operator: a server beside the others with the Salt master, on which `tideline fleet` is used as docs/operations/fleet.md says. Spec,
 * documents and authorities lie on it; the folders of the checkout it shares with the others.
 */

export const operatorName = 'par-operator';
export const operatorAddress = '10.1.0.9';
const place = {
  spec: '/srv/platform',
  out: '/srv/tideline/out',
  safe: '/root/safe',
  passphrase: '/root/passphrase',
  /** Where the spec looks for it, `../paris.kubeconfig`. */
  kubeconfig: `/srv/${cluster}.kubeconfig`,
} as const;

export class Operator {
  readonly server: Server;
  /** Told each line of what commands print, when it comes. */
  tell: ((line: string) => void) | undefined;

  constructor(server: Server) {
    this.server = server;
  }

  /** Starts the Salt master, and on each of these servers a minion of it, which has no document yet. */
  async start(minions: readonly Server[]): Promise<void> {
    await this.server.write(place.passphrase, 'the passphrase of a lab\n', 0o600);
    await Promise.all(minions.map(async (minion) => await installSalt(minion, {})));
    const settings = {
      file_roots: { base: ['/srv/tideline/salt/formulas', '/srv/tideline/files'] },
      module_dirs: ['/srv/tideline/salt', `${shared.tideline}/lab/fleet/salt`],
      ext_pillar: [
        { tideline: { folder: `${place.out}/documents`, secrets: `${place.out}/secrets` } },
        { lab: { checkout: shared.tideline } },
      ],
      pillar_source_merging_strategy: 'overwrite',
      // On a busy machine a minion may need long to say that it still works; whoever is given up too early is set to work anew.
      gather_job_timeout: 60,
    };
    await startSalt({ server: this.server, address: operatorAddress, settings }, minions);
  }

  /** Gives servers that came later, or that have an empty disk, a minion of this master. */
  async admit(minions: readonly Server[]): Promise<void> {
    await Promise.all(minions.map(async (minion) => await installSalt(minion, {})));
    await admitMinions({ server: this.server, address: operatorAddress }, minions);
  }

  /** Puts the spec that lies in this folder in the place of the one before. */
  async bring(folder: string): Promise<void> {
    const text = await readFile(join(folder, 'platform.yaml'), 'utf8');
    await this.server.write(`${place.spec}/platform.yaml`, text);
  }

  /** Runs `tideline fleet …` on this machine, as a person types it; resolves with what it printed. */
  async fleet(...words: readonly string[]): Promise<string> {
    const command = [`${shared.tideline}/bin/tideline`, 'fleet', ...words].map(quoted).join(' ');
    return await this.server.exec(command, undefined, this.tell);
  }

  async compile(): Promise<string> {
    return await this.fleet('compile', place.spec, '--out', place.out);
  }

  /** The kubeconfig of the Cluster, for a day of work; the first one is made before there is a cluster. */
  async kubeconfig(...more: readonly string[]): Promise<string> {
    return await this.fleet('kubeconfig', cluster, place.spec, '--out', place.kubeconfig, ...safe, ...more);
  }

  /** Plans and does what was planned: `plan` and `apply CHECKSUM`, or a command of every day with and without `--plan`. */
  async plan(...words: readonly string[]): Promise<{ readonly printed: string; readonly checksum: string }> {
    const [verb = 'plan', ...names] = words;
    const printed = await this.fleet(verb, ...names, place.spec, '--against', place.out);
    return { printed, checksum: checksumIn(printed) };
  }

  /** Runs a command of the documentation, `tideline fleet …`, in which the places of this machine have the names that it gives them. */
  async typed(command: string, checksum = ''): Promise<string> {
    const meant = new Map([
      ['platform', place.spec],
      ['OUT', place.out],
      ['SAFE', place.safe],
      ['FILE', place.passphrase],
      ['CHECKSUM', checksum],
    ]);
    const [program, room, ...words] = command.split(' ').map((word) => meant.get(word) ?? word);
    if (program !== 'tideline' || room !== 'fleet') throw new Error(`not a command of the fleet: ${command}`);
    return await this.fleet(...words);
  }

  async apply(checksum: string, ...more: readonly string[]): Promise<string> {
    return await this.fleet('apply', checksum, place.spec, '--against', place.out, ...safe, ...more);
  }

  async procedure(words: readonly string[], checksum: string): Promise<string> {
    return await this.fleet(...words, place.spec, '--against', place.out, '--plan', checksum, ...safe);
  }

  /** What `state.apply` says on one server, with these arguments. */
  async state(name: string, ...args: readonly string[]): Promise<unknown> {
    return await this.call(name, 'state.apply', ...args);
  }

  /** What a function of Salt answers on one server. */
  async call(name: string, ...words: readonly string[]): Promise<unknown> {
    return (await saltOnMaster(this.server, [name], ...words)).get(name);
  }

  /** An operator with kubectl beside the router, with the kubeconfig of this machine. */
  async admin(options: {
    readonly network: Network;
    readonly folder: string;
    readonly kubectl: string;
  }): Promise<Admin> {
    const file = join(options.folder, 'operator.kubeconfig');
    await writeFile(file, await readFile(this.server.outside(place.kubeconfig), 'utf8'), { mode: 0o600 });
    return adminOf(options.network, options.kubectl, file);
  }
}

/** The checksum in the last line of a plan. */
export function checksumIn(printed: string): string {
  const checksum = /^checksum: (\S+)$/m.exec(printed)?.[1];
  if (checksum === undefined) throw new Error(`no checksum in this plan: ${printed}`);
  return checksum;
}

const safe = ['--authorities', place.safe, '--passphrase-file', place.passphrase] as const;

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
