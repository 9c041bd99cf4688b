import type { Snapshot } from './snapshot.ts';

/** What is not the same everywhere; the finding is a warning. */
interface Difference {
  readonly subject: string;
  readonly what: string;
}

interface Told {
  readonly server: string;
  readonly cluster: string;
  readonly version: string | undefined;
  readonly digest: string | undefined;
}

/**
 * Versions and specs that are not the same everywhere: as they are during a rollout, or when an edit has not reached a server. An agent
 * that does not say what it has is of an older version and no difference. Specs are compared inside a cluster: the API of each cluster may be
 * a source of its own.
 */
export function differences({ agents }: Snapshot): readonly Difference[] {
  const told = agents.flatMap((part): readonly Told[] => {
    if ('problem' in part) return [];
    const { version, platform } = 'edge' in part ? part.edge : part.network;
    return [{ server: part.target.server, cluster: part.target.cluster, version, digest: platform.digest }];
  });
  return [
    ...differs('the version', told, ({ version }) => version),
    ...[...Map.groupBy(told, ({ cluster }) => cluster)].flatMap(([cluster, of]) =>
      differs(`the platform spec of cluster ${cluster}`, of, ({ digest }) => digest),
    ),
  ];
}

/** A finding when not all have the same value, with the servers that differ from most. */
function differs(
  subject: string,
  told: readonly Told[],
  valueOf: (one: Told) => string | undefined,
): readonly Difference[] {
  const known = told.filter((one) => valueOf(one) !== undefined);
  const groups = [...Map.groupBy(known, valueOf)].toSorted(([, a], [, b]) => b.length - a.length);
  if (groups.length < 2) return [];
  const texts = groups.slice(0, 4).map(([value, of], index) => `${value} on ${index === 0 ? of.length : namesOf(of)}`);
  return [{ subject, what: `differs between agents: ${texts.join('; ')}` }];
}

function namesOf(of: readonly Told[]): string {
  const names = of.slice(0, 3).map(({ server }) => server);
  return `${names.join(', ')}${of.length > names.length ? ` and ${of.length - names.length} more` : ''}`;
}
