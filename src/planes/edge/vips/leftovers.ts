import type { Speaker } from '../../../bgp/speaker.ts';
import { type Address, contains, hostPrefix } from '../../../model/address.ts';
import { sitesOfCluster } from '../../../model/platform/places.ts';
import type { EdgeNotice } from '../../../model/status.ts';
import { messageOf } from '../../../model/values.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { BladePlatform } from '../compile/platform.ts';
import type { EdgeReason } from '../reasons.ts';
import type { Loopback, LoopbackAddress } from './loopback.ts';

export interface LeftOversOptions {
  readonly loopback: Pick<Loopback, 'list' | 'remove' | 'hostAddresses'>;
  /** The platform in force: VIPs that leave their pool are in it until they are withdrawn. */
  readonly platform: () => BladePlatform;
  readonly speaker: Pick<Speaker, 'status'>;
  readonly clock: Clock;
  readonly log: Log;
}

const lookEveryMs = 10_000;
/** How long an address stays after ExaBGP withdrew it: routers and requests in flight need it for a moment. */
const staysForMs = 30_000;

/**
 * Removes from `lo` the VIPs that left their pool, half a minute after their withdrawal, as far as an agent had added them. An address that
 * somebody else added is named, and left alone. Nothing is remembered over a restart: the kernel says what an agent added.
 */
export class LeftOvers {
  readonly #options: LeftOversOptions;
  #sinceMs: ReadonlyMap<string, number> = new Map();
  #lookedMs = -Infinity;
  #notices: readonly EdgeNotice[] = [];

  constructor(options: LeftOversOptions) {
    this.#options = options;
  }

  /** What is on `lo`, and is to be said. */
  notices(): readonly EdgeNotice[] {
    return this.#notices;
  }

  /** Looks at `lo` if that is due, and removes what has been left over for long enough. Never rejects. */
  async look(): Promise<void> {
    const { loopback, speaker, clock, log, platform } = this.#options;
    const now = clock.monotonic();
    const { relay, announced } = speaker.status();
    // What ExaBGP holds is known only while its relay answers.
    if (relay !== 'synced' || now - this.#lookedMs < lookEveryMs) return;
    this.#lookedMs = now;
    try {
      const held = new Set(announced.map(({ prefix }) => prefix.text));
      const kept = vipsOfHost(platform(), loopback.hostAddresses());
      const left = leftOver(await loopback.list(), platform(), kept).filter(
        ({ address }) => !held.has(hostPrefix(address).text),
      );
      this.#sinceMs = new Map(left.map(({ address: { text } }) => [text, this.#sinceMs.get(text) ?? now]));
      const old = left.filter(({ address }) => now - (this.#sinceMs.get(address.text) ?? now) >= staysForMs);
      const removable = old.filter(({ ours }) => ours).map(({ address }) => address);
      const failed = await loopback.remove(removable);
      for (const { text } of removable)
        if (!failed.has(text)) log.info({ vip: text }, 'the address of a VIP that left its pool is removed');
      this.#notices = old.flatMap(({ address, ours }) => noticeOf(address, ours, failed.get(address.text)));
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'the addresses of lo cannot be read');
    }
  }
}

/** The VIPs of the pool, and of every other pool that has a blade on this host. */
function vipsOfHost({ platform, pool }: BladePlatform, host: ReadonlySet<string>): ReadonlySet<string> {
  const others = [...platform.edgePools.values()].filter(({ spec }) =>
    spec.blades.some(({ address }) => host.has(address.text)),
  );
  return new Set([pool, ...others].flatMap(({ spec }) => spec.vips.map(({ address }) => address.text)));
}

/** The addresses that are none of `vips`: those that an agent added, and those inside the prefixes that the cluster's sites have for VIPs. */
function leftOver(
  present: readonly LoopbackAddress[],
  { platform, pool }: BladePlatform,
  vips: ReadonlySet<string>,
): readonly LoopbackAddress[] {
  const places = sitesOfCluster(platform, pool.spec.cluster).flatMap(({ spec }) => spec.prefixes.vips);
  const isPlace = (address: Address): boolean => places.some((place) => contains(place, hostPrefix(address)));
  return present.filter(({ address, ours }) => !vips.has(address.text) && (ours || isPlace(address)));
}

function noticeOf({ text, family }: Address, ours: boolean, failure: string | undefined): readonly EdgeNotice[] {
  if (ours && failure === undefined) return [];
  const reason: EdgeReason = 'VipAddressLeft';
  const why = ours ? `it cannot be removed (${failure})` : 'no agent added it, so none removes it';
  const command = `ip address del ${text}/${family === 6 ? 128 : 32} dev lo`;
  return [{ subject: text, reason, message: `it is on lo, and no VIP of this blade: ${why}; run ${command}` }];
}
