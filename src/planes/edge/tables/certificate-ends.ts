import type { GoodPair } from '../compile/last-good.ts';
import type { Host } from '../table.ts';

/** The name under which the hosts are together that are not measured one by one. */
const others = '(other)';

/**
 * When the certificate of each host ends, in milliseconds since the epoch: of the named hosts one by one, of all others the first
 * end. A host without a certificate of its own has none.
 */
export function certificateEnds(
  hosts: readonly Host[],
  pairs: Iterable<GoodPair | undefined>,
  named: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const endOf = new Map(
    [...pairs].flatMap((pair) => (pair === undefined ? [] : [[pair.certificate.id, pair.facts.notAfterMs] as const])),
  );
  const ends = new Map<string, number>();
  for (const { name, certificate } of hosts) {
    const endMs = certificate === undefined ? undefined : endOf.get(certificate);
    if (endMs === undefined) continue;
    const label = named.has(name) ? name : others;
    ends.set(label, Math.min(endMs, ends.get(label) ?? Infinity));
  }
  return ends;
}
