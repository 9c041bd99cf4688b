import { contains, type Prefix, parsePrefix } from '../../../model/address.ts';
import type { NetworkNotice } from '../plan.ts';

/**
 * A rule of ours for packets that came in by an uplink and go to a block of this worker whose blackhole has holes. Two of them stand
 * for each such block and uplink. `inside` asks the main table for a route to the block or a part of it: a pod, a bridge, a
 * blackhole. `drop` ends every other packet, which would leave by a wider route and come back.
 */
export interface UplinkRule {
  readonly block: Prefix;
  readonly uplink: string;
  readonly action: 'inside' | 'drop';
}

const actions = ['inside', 'drop'] as const;
type Covers = ReadonlyMap<string, readonly Prefix[]>;

export function textOf({ block, uplink, action }: UplinkRule): string {
  return `${block.text} from ${uplink}: ${action}`;
}

/** The rules that these blackholes need: for each block that is not blackholed as a whole, on every uplink. */
export function uplinkRulesOf(covers: Covers, uplinks: readonly string[]): readonly UplinkRule[] {
  const holed = [...covers].filter(([block, cover]) => cover.length !== 1 || cover[0]?.text !== block);
  const blocks = holed.flatMap(([block]) => parsePrefix(block) ?? []);
  return blocks.flatMap((block) => uplinks.flatMap((uplink) => actions.map((action) => ({ block, uplink, action }))));
}

export function missingRules(wanted: readonly UplinkRule[], rules: readonly UplinkRule[]): readonly UplinkRule[] {
  const there = new Set(rules.map(textOf));
  return wanted.filter((rule) => !there.has(textOf(rule)));
}

/** The blackholes as far as the rules stand: a block of which a rule is missing has no hole. */
export function guardedCovers(
  covers: Covers,
  missing: readonly UplinkRule[],
): { readonly covers: Covers; readonly unguarded: readonly Prefix[] } {
  if (missing.length === 0) return { covers, unguarded: [] };
  const unguarded = [...new Map(missing.map(({ block }) => [block.text, block])).values()];
  return { covers: new Map([...covers, ...unguarded.map((block) => [block.text, [block]] as const)]), unguarded };
}

export function unguardedNotice({ text }: Prefix): NetworkNotice {
  const message =
    'the kernel did not take our ip rules for it: pods of this worker do not reach addresses of it that are lent';
  return { subject: text, reason: 'UplinkRuleMissing', message };
}

/**
 * The rules of ours that nothing needs any more. One that is not wanted stays until its block is blackholed as a whole, or neither
 * announced nor blackholed: an uplink that is none for a moment is guarded all the time.
 */
export function surplusRules(
  wanted: readonly UplinkRule[],
  kernel: { readonly rules: { readonly uplink: readonly UplinkRule[] }; readonly installed: readonly Prefix[] },
  announced: readonly { readonly prefix: Prefix }[],
): readonly UplinkRule[] {
  if (kernel.rules.uplink.length === 0) return [];
  const texts = new Set(wanted.map(textOf));
  const isIdle = (block: Prefix): boolean => {
    const inside = kernel.installed.filter((blackhole) => contains(block, blackhole));
    if (inside.some(({ text }) => text === block.text)) return inside.length === 1;
    return inside.length === 0 && announced.every(({ prefix }) => prefix.text !== block.text);
  };
  return kernel.rules.uplink.filter((rule) => !texts.has(textOf(rule)) && isIdle(rule.block));
}
