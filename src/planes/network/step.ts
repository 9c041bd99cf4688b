import type { Route } from '../../bgp/route.ts';
import type { SpeakerStatus } from '../../bgp/speaker.ts';
import { comparePrefixes, contains, type Prefix, widened } from '../../model/address.ts';
import type { Refusal } from '../../model/problem.ts';
import type { NetworkRefusal } from './plan.ts';
import type { NetworkReason } from './reasons.ts';

export interface StepInput {
  readonly routes: readonly Route[];
  /** The blackholes that each block needs, by its text. */
  readonly covers: ReadonlyMap<string, readonly Prefix[]>;
  /** Our blackholes in the kernel, after the missing ones were tried. */
  readonly installed: readonly Prefix[];
  readonly speaker: SpeakerStatus;
  /** Where a route of another program has the place of a blackhole of ours, by prefix. */
  readonly taken: ReadonlyMap<string, { readonly type: string; readonly protocol: string }>;
  /** Announced prefixes, as text, that are another server's: none of them waits for anything but its own host routes. */
  readonly disproved: ReadonlySet<string>;
  /** False when new routes have had their time to be announced: old ones are then withdrawn all the same. */
  readonly mayWait: boolean;
}

export interface Step {
  /** The set to ask the speaker for now; it may be a stage on the way to the plan, to keep the order. */
  readonly desired: readonly Route[];
  /** Blackholes that no route needs any more; they are to be removed a moment after they became surplus. */
  readonly surplus: readonly Prefix[];
  /** Blackholes of announced blocks that others have replaced; they are to be removed now, because they may catch too much. */
  readonly replaced: readonly Prefix[];
  readonly refusals: readonly NetworkRefusal[];
  /** True when routes are to be withdrawn but new routes are not announced yet. */
  readonly waiting: boolean;
}

/**
 * The next step towards a plan, from the state of kernel and speaker. Claim: a block is announced once its blackhole is
 * in the kernel. Release: nothing is withdrawn while something new is not yet announced (host routes take over from
 * their block), except a block that is another server's by now, which waits for its own host routes alone; and a blackhole goes
 * only after its block. Repeated with the newest state, the steps end at the plan.
 */
export function nextStep({ routes, covers, installed, speaker, taken, disproved, mayWait }: StepInput): Step {
  const announced = new Set(speaker.announced.map(({ prefix }) => prefix.text));
  const inKernel = textsOf(installed);
  const isCovered = (text: string): boolean => covers.get(text)?.every((one) => inKernel.has(one.text)) ?? true;
  const refusals: NetworkRefusal[] = [];
  const desired = routes.filter(({ prefix: { text } }) => {
    // A blackhole for the whole block does until those with holes are there.
    if (inKernel.has(text) || isCovered(text)) return true;
    const at = covers.get(text)?.find((one) => taken.has(one.text));
    refusals.push({ subject: text, ...whyMissing(at?.text, taken.get(at?.text ?? '')) });
    return announced.has(text);
  });
  const refused = new Set(speaker.refusals.map(({ prefix }) => prefix));
  const coming = desired.filter(({ prefix: { text } }) => !announced.has(text) && !refused.has(text));
  const wanted = textsOf(desired.map(({ prefix }) => prefix));
  const leaving = speaker.announced.filter((route) => route.class === 'pods' && !wanted.has(route.prefix.text));
  const late = leaving.filter(({ prefix }) =>
    coming.some((route) => !disproved.has(prefix.text) || contains(prefix, route.prefix)),
  );
  const waiting = late.length > 0;
  const now = waiting && mayWait ? [...desired, ...late] : desired;
  const needed = textsOf([...covers.values()].flat());
  const idle = installed.filter(({ text }) => !needed.has(text));
  const blockOf = holderOf([...speaker.announced, ...now]);
  const isReplaced = (blackhole: Prefix): boolean => {
    const block = blockOf(blackhole);
    return block !== undefined && covers.has(block) && isCovered(block);
  };
  return {
    desired: now.toSorted((a, b) => comparePrefixes(a.prefix, b.prefix)),
    surplus: speaker.relay === 'synced' ? idle.filter((blackhole) => blockOf(blackhole) === undefined) : [],
    replaced: idle.filter(isReplaced),
    refusals,
    waiting,
  };
}

function whyMissing(
  place: string | undefined,
  route: { readonly type: string; readonly protocol: string } | undefined,
): Refusal<NetworkReason> {
  if (place === undefined || route === undefined)
    return { reason: 'BlackholeMissing', message: 'the kernel did not take the blackhole' };
  const message = `a ${route.type} route of protocol ${route.protocol} to ${place} has the metric of our blackhole`;
  return { reason: 'BlackholeTaken', message };
}

/** Makes a function that finds the longest of these routes that holds a prefix, as text. */
function holderOf(routes: readonly Route[]): (prefix: Prefix) => string | undefined {
  const texts = textsOf(routes.map(({ prefix }) => prefix));
  const lengths = [...new Set(routes.map(({ prefix }) => prefix.length))].toSorted((a, b) => b - a);
  return (prefix) =>
    lengths
      .filter((length) => length <= prefix.length)
      .map((length) => widened(prefix, length).text)
      .find((text) => texts.has(text));
}

function textsOf(prefixes: readonly Prefix[]): ReadonlySet<string> {
  return new Set(prefixes.map(({ text }) => text));
}
