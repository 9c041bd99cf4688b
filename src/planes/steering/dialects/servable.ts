import type { Tier } from '../../../answers/answers.ts';
import { choicesOf, withoutRepeats } from '../../../answers/tiers.ts';
import type { Addresses, AddressType } from '../compile/entries.ts';
import { badInput } from '../reasons.ts';

/** The tiers with only the clusters that have an address of the type. Throws an InputError when none is left. */
export function servable(tiers: readonly Tier[], type: AddressType, addresses: Addresses): readonly Tier[] {
  const left = servedBy(tiers, addresses);
  if (left.length > 0) return left;
  throw badInput(
    'NoAddress',
    `for some users no cluster that they may reach has an address for ${type} records`,
    'give such a cluster an address of that family, or allow another in spec.never of the policy',
  );
}

/** The same, of which nothing may be left. */
export function servedBy(tiers: readonly Tier[], addresses: ReadonlyMap<string, unknown>): readonly Tier[] {
  return withoutRepeats(
    tiers.map((tier) =>
      tier.flatMap(({ weight, ...cluster }) => {
        const [name, ...failover] = choicesOf({ weight, ...cluster }).filter((one) => addresses.has(one));
        return name === undefined ? [] : [{ name, weight, ...(failover.length === 0 ? {} : { failover }) }];
      }),
    ),
  );
}
