import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAuthorities, readPassphrase } from '../../src/planes/fleet/pki/authorities.ts';
import { operatorKubeconfig } from '../../src/planes/fleet/pki/operator.ts';
import { runKubectl } from '../control-plane/kubectl.ts';
import type { Network } from '../net/network.ts';
import { place } from './router.ts';
import { apiVip, cluster } from './spec.ts';

/** The operator of the cluster, beside the router: asks the API through its VIP, with a certificate of an hour. */
export interface Admin {
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
  readonly read: <T>(path: string) => Promise<T>;
  readonly apply: (objects: readonly object[]) => Promise<void>;
}

/** Who has the authorities can sign for anybody, also for a person of the group that may do everything. */
export async function makeAdmin(options: {
  readonly network: Network;
  readonly folder: string;
  readonly safe: string;
  readonly passphraseFile: string;
  readonly kubectl: string;
}): Promise<Admin> {
  const { network, folder, safe, passphraseFile } = options;
  const name = `${cluster}/kubernetes`;
  const passphrase = await readPassphrase(passphraseFile);
  const authority = (await openAuthorities(safe, [name], passphrase, Date.now())).get(name);
  if (authority === undefined) throw new Error(`there is no authority ${name} in ${safe}`);
  const now = Date.now();
  const who = { name: 'lab-operator', group: 'system:masters', fromMs: now - 60_000, untilMs: now + 3_600_000 };
  const file = join(folder, 'admin.kubeconfig');
  await writeFile(file, operatorKubeconfig(cluster, `https://${apiVip}:6443`, authority, who), { mode: 0o600 });
  return adminOf(network, options.kubectl, file);
}

/** Whoever has this kubeconfig, beside the router. */
export function adminOf(network: Network, program: string, file: string): Admin {
  const spawn = (command: string, args: readonly string[], settings?: object): ReturnType<Network['spawn']> =>
    network.spawn(place.namespace, command, args, settings);
  const kubectl: Admin['kubectl'] = async (args, input) =>
    await runKubectl({ spawn } as Parameters<typeof runKubectl>[0], program, [`--kubeconfig=${file}`, ...args], input);
  return {
    kubectl,
    read: async <T>(path: string) => JSON.parse(await kubectl(['get', '--raw', path])) as T,
    apply: async (objects) => {
      const list = { apiVersion: 'v1', kind: 'List', items: objects };
      await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(list));
    },
  };
}
