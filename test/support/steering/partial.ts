import type { Tier } from '../../../src/answers/answers.ts';
import { choicesOf } from '../../../src/answers/tiers.ts';
import { type AddressType, entriesOfType, leastOf } from '../../../src/planes/steering/compile/entries.ts';
import type { Compiled, CompileInput } from '../../../src/planes/steering/dialects/dialect.ts';

/**
 * The clusters that answer while these addresses are down, said from the documentation of `minHealthyAddresses`: a first choice counts with so many
 * addresses, any later one with one; when nothing is left the first choices answer.
 */
export function clustersWhile(
  { entries }: CompileInput,
  { effective, uncounted }: Compiled,
  asked: { readonly type: AddressType; readonly country: string; readonly down: ReadonlySet<string> },
): ReadonlySet<string> {
  const { type, country, down } = asked;
  const addresses = entriesOfType(entries, type);
  const upOf = (name: string): number => (addresses.get(name) ?? []).filter((one) => !down.has(one.address)).length;
  const isCounted = uncounted.get(type)?.has(country) !== true;
  const enough = (name: string): boolean =>
    upOf(name) >= (isCounted ? Math.max(1, leastOf(addresses.get(name) ?? [])) : 1);
  const tiers = effective.get(type)?.get(country) ?? [];
  for (const [index, tier] of tiers.entries()) {
    const names = tier.flatMap((share) => {
      const [own = '', ...others] = choicesOf(share);
      if (index === 0 ? enough(own) : upOf(own) > 0) return [own];
      return others.find((name) => upOf(name) > 0) ?? [];
    });
    if (names.length > 0) return new Set(names);
  }
  return new Set(mainOf(tiers[0]));
}

const mainOf = (tier: Tier = []): readonly string[] => tier.map(({ name }) => name);
