import { execFile } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { z } from 'zod';
import { type Address, hostPrefix, parseAddress } from '../../../model/address.ts';
import { messageOf } from '../../../model/values.ts';

const run = promisify(execFile);

/** The metric of addresses that an agent added: the kernel keeps it, and nothing else on a server has a reason to give this one. */
const ownMetric = 114;

/** An address on `lo` that is one machine's alone (a /32 or /128). */
export interface LoopbackAddress {
  readonly address: Address;
  /** True when an agent added it. */
  readonly ours: boolean;
}

/** The VIPs on `lo` of this host. */
export interface Loopback {
  /** Adds those that are missing; resolves with those that could not be added, and why. */
  add(vips: readonly Address[]): Promise<ReadonlyMap<string, string>>;
  /** What is there now; rejects when that cannot be read. */
  list(): Promise<readonly LoopbackAddress[]>;
  /** The addresses of this host, on whatever link. */
  hostAddresses(): ReadonlySet<string>;
  /** Resolves with what could not be removed, and why. */
  remove(vips: readonly Address[]): Promise<ReadonlyMap<string, string>>;
}

/**
 * VIPs live on `lo`, so that every interface accepts them and no ARP answers for them. To add or remove one takes CAP_NET_ADMIN. They stay
 * when the agent ends: without an announcement nobody sends anything to them.
 */
export const kernelLoopback: Loopback = {
  async add(vips) {
    const present = new Set((await readLoopback().catch(() => [])).map(({ address }) => address.text));
    return failuresOf(vips, /File exists|already assigned/, async (vip) => {
      if (present.has(vip.text)) return;
      const noDad = vip.family === 6 ? ['nodad'] : [];
      await run('ip', ['address', 'add', hostPrefix(vip).text, 'dev', 'lo', ...noDad, 'metric', String(ownMetric)]);
    });
  },
  list: readLoopback,
  hostAddresses() {
    const entries = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    return new Set(entries.flatMap(({ address }) => parseAddress(address)?.text ?? []));
  },
  remove: (vips) =>
    failuresOf(vips, /Cannot assign requested address|Address not found/, async (vip) => {
      await run('ip', ['address', 'del', hostPrefix(vip).text, 'dev', 'lo']);
    }),
};

/** Those for which the change failed, and why; a complaint that `done` matches says that nothing was left to do. */
async function failuresOf(
  vips: readonly Address[],
  done: RegExp,
  change: (vip: Address) => Promise<void>,
): Promise<ReadonlyMap<string, string>> {
  const failed = new Map<string, string>();
  for (const vip of vips)
    try {
      await change(vip);
    } catch (error) {
      const message = messageOf(error);
      if (!done.test(message)) failed.set(vip.text, message.trim());
    }
  return failed;
}

const Links = z.array(
  z.object({
    addr_info: z.array(
      z.object({ family: z.string(), local: z.string(), prefixlen: z.number(), metric: z.number().optional() }),
    ),
  }),
);

async function readLoopback(): Promise<readonly LoopbackAddress[]> {
  const { stdout } = await run('ip', ['-j', 'address', 'show', 'dev', 'lo']);
  return loopbackAddresses(JSON.parse(stdout));
}

/** The addresses of one machine alone in what `ip -j address show dev lo` prints. */
export function loopbackAddresses(printed: unknown): readonly LoopbackAddress[] {
  return Links.parse(printed).flatMap(({ addr_info: found }) =>
    found.flatMap(({ family, local, prefixlen, metric }) => {
      const address = parseAddress(local);
      const alone = prefixlen === (family === 'inet6' ? 128 : 32);
      return alone && address !== undefined ? [{ address, ours: metric === ownMetric }] : [];
    }),
  );
}
