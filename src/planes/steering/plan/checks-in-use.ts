import type { RecordSet } from '../../../answers/record.ts';
import type { AddressCheck } from '../dialects/dialect.ts';

/** The checks that decide what these hosts answer, by the records and all that they lead to. */
export function checksInUse(
  byName: ReadonlyMap<string, readonly RecordSet[]>,
  hosts: readonly string[],
): readonly AddressCheck[] {
  const reached = new Set(hosts);
  for (const name of reached)
    for (const { target } of byName.get(name) ?? []) if (target.kind === 'alias') reached.add(target.name);
  return [...reached].flatMap((name) =>
    (byName.get(name) ?? []).flatMap(({ healthCheck, target }) =>
      healthCheck === undefined || target.kind !== 'values'
        ? []
        : target.values.map((address) => ({ key: healthCheck, address })),
    ),
  );
}
