import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Address, hostPrefix } from '../../../model/address.ts';
import { messageOf } from '../../../model/values.ts';

const run = promisify(execFile);

/** Puts VIPs on an interface of this host; resolves with those that could not be put there, and why. */
export type AddAddresses = (vips: readonly Address[]) => Promise<ReadonlyMap<string, string>>;

/**
 * VIPs live on `lo`, so that every interface accepts them and no ARP answers for them. Adding a missing one needs
 * CAP_NET_ADMIN. They stay when the agent ends: without an announcement nobody sends anything to them.
 */
export const addToLoopback: AddAddresses = async (vips) => {
  const failed = new Map<string, string>();
  const present = await addressesOfLoopback();
  for (const vip of vips.filter(({ text }) => !present.has(text))) {
    try {
      const noDad = vip.family === 6 ? ['nodad'] : [];
      await run('ip', ['address', 'add', hostPrefix(vip).text, 'dev', 'lo', ...noDad]);
    } catch (error) {
      const message = messageOf(error);
      if (!/File exists|already assigned/.test(message)) failed.set(vip.text, message.trim());
    }
  }
  return failed;
};

async function addressesOfLoopback(): Promise<ReadonlySet<string>> {
  try {
    const { stdout } = await run('ip', ['-o', 'address', 'show', 'dev', 'lo']);
    return new Set([...stdout.matchAll(/inet6? ([^/\s]+)\//g)].map((match) => match[1] ?? ''));
  } catch {
    return new Set();
  }
}
