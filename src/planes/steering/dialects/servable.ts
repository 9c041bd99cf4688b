import type { Tier } from '../../../answers/answers.ts';
import type { Addresses, AddressType } from '../compile/entries.ts';
import { badInput } from '../reasons.ts';

/** The tiers with only the clusters that have an address of the type. Throws an InputError when none is left. */
export function servable(tiers: readonly Tier[], type: AddressType, addresses: Addresses): readonly Tier[] {
  const left = tiers.map((tier) => tier.filter(({ name }) => addresses.has(name))).filter((tier) => tier.length > 0);
  if (left.length > 0) return left;
  throw badInput(
    'NoAddress',
    `for some users no cluster that they may reach has an address for ${type} records`,
    'give such a cluster an address of that family, or allow another in spec.never of the policy',
  );
}
