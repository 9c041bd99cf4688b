import type { ServerDocument } from '../../compile/document.ts';
import type { Documents } from './situation.ts';

/** Of these servers the ones that feel the difference; one that had no document that is known counts. */
export function feltBy(servers: Iterable<string>, before: Documents, after: Documents): ReadonlySet<string> {
  return new Set(
    [...servers].filter((server) => {
      const [old, now] = [before.get(server), after.get(server)];
      return old === undefined || now === undefined || isFelt(old, now);
    }),
  );
}

/**
 * Whether programs of a server notice that it has another document: one is restarted or reloaded, comes or goes, or the machine itself is to be another.
 * A file that no unit watches is not noticed, and so needs no drain: who the members of etcd are, or which blades a pool has.
 */
function isFelt(before: ServerDocument, after: ServerDocument): boolean {
  const machine = ({ system }: ServerDocument) => ({ ...system, hosts: {} });
  return !same(machine(before), machine(after)) || !same(watchedBy(before), watchedBy(after));
}

/** Each unit with its text and everything that it watches. */
function watchedBy({ components, pki, artifacts }: ServerDocument): unknown {
  const files = Object.fromEntries(components.flatMap((component) => Object.entries(component.files)));
  const things: Readonly<Record<string, unknown>> = {
    ...files,
    ...pki.secrets,
    ...pki.keys,
    ...pki.authorities,
    ...pki.certificates,
    ...artifacts,
  };
  return components.flatMap(({ units }) =>
    Object.entries(units).map(([name, unit]) => [name, unit, unit.watches.map((watched) => things[watched])]),
  );
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
