import type { SourceView } from '../model/source-status.ts';
import { placeOfApi } from '../model/source-status.ts';
import type { SpecReason } from './reasons.ts';
import type { AgentPart, Snapshot, SpecPart } from './snapshot.ts';

const unread: SpecReason = 'SpecApiUnread';
const unheeded: SpecReason = 'SpecApiUnheeded';

/** A finding of the platform spec. */
interface Found {
  readonly severity: 'unknown' | 'warning' | 'note';
  readonly subject: string;
  readonly what: string;
}

type Answered = Exclude<AgentPart, { readonly problem: string }>;

/** What is wrong with the platform spec as far as it stands in the APIs of clusters, or will surprise whoever edits it. */
export function specFindings({ agents, clusters, spec }: Snapshot): readonly Found[] {
  const answered = agents.filter((part): part is Answered => !('problem' in part));
  const silent = new Set(clusters.flatMap(({ name, problem }) => (problem === undefined ? [] : [name])));
  return [
    ...notInForce(answered),
    ...unreadByAgents(answered),
    ...(spec?.unread ?? []).flatMap(({ cluster, why }) => (silent.has(cluster) ? [] : [unreadHere(cluster, why)])),
    ...(spec?.twice ?? []).map(standsTwice),
  ];
}

function platformOf(part: Answered) {
  return ('edge' in part ? part.edge : part.network).platform;
}

/** Each object once, although every agent of a cluster says it. */
function notInForce(answered: readonly Answered[]): readonly Found[] {
  const told = answered.flatMap((part) => platformOf(part).notInForce ?? []);
  const each = Map.groupBy(told, ({ place, object, reason, message }) => [place, object, reason, message].join('\n'));
  return [...each.values()].flatMap(([first]) => {
    if (first === undefined) return [];
    const { place, object, reason, message } = first;
    const what =
      reason === 'CopiesDiffer'
        ? 'is not changed by an edit before its copies agree'
        : `is not in force as it stands in ${place.startsWith('API ') ? 'the ' : ''}${place}`;
    return [{ severity: 'warning' as const, subject: object, what: `${what}: ${message} (${reason})` }];
  });
}

/** An agent that can read its cluster and not the spec in an API lacks a right, or the way there: what is written in it does nothing. */
function unreadByAgents(answered: readonly Answered[]): readonly Found[] {
  const blind = answered.flatMap((part) => {
    const { source } = 'edge' in part ? part.edge : part.network;
    if (source.phase !== 'live') return [];
    return (platformOf(part).apis ?? []).filter(isBlind).map(({ place, reason = 'stale' }) => ({
      ...part.target,
      place,
      why: reason,
    }));
  });
  return [...Map.groupBy(blind, ({ cluster, place, why }) => `${cluster} ${place} ${why}`).values()].flatMap((of) => {
    const [first] = of;
    if (first === undefined) return [];
    const { cluster, place, why } = first;
    const names = of.slice(0, 3).map(({ server }) => server);
    const more = of.length > names.length ? ` and ${of.length - names.length} more` : '';
    const which =
      place === placeOfApi(cluster) ? 'in its API' : `in the ${place}, whose objects stay as they were read last`;
    const effect = place === placeOfApi(cluster) ? ', where a Drain has no effect' : '';
    const what = `has agents that cannot read the platform spec ${which} (${why})${effect}: ${names.join(', ')}${more} (${unheeded})`;
    return [{ severity: 'warning' as const, subject: `cluster ${cluster}`, what }];
  });
}

/** Not so an agent that has just started, and one whose cluster has no definitions of the spec's kinds. */
function isBlind({
  phase,
  reason,
}: {
  readonly phase: SourceView['phase'];
  readonly reason?: string | undefined;
}): boolean {
  return phase === 'stale' || (phase === 'syncing' && reason !== undefined && reason !== 'SourceKindMissing');
}

function unreadHere(cluster: string, why: string): Found {
  const what = `has an API that could not be read here as a source of the platform spec: ${why} (${unread})`;
  return { severity: 'unknown', subject: `cluster ${cluster}`, what };
}

function standsTwice({ object, place }: SpecPart['twice'][number]): Found {
  const what = `stands in the folder and in the ${place}: an edit of it has an effect once both have it`;
  return { severity: 'note', subject: object, what };
}
