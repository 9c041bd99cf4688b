import type { CompiledFleet } from '../../compile/compile.ts';
import type { Wave } from '../../compile/waves.ts';
import type { FleetPlan } from '../../plan.ts';
import type { Run, RunWave } from '../steps.ts';
import { blindWarnings, type Touch, touched } from './touch.ts';

/** What the waves of an apply depend on beside the documents. */
export type ApplyInput = Pick<Touch, 'fresh' | 'felt' | 'apis'>;

/**
 * What `apply` does: the waves of a plan, each with its steps. Members of an etcd that is new come in one wave, because the first of them is not
 * well before there are enough of them. What a gate asks of a whole cluster is asked when the last new server of that kind is there.
 */
export function applyRun(
  { waves, warnings }: Pick<FleetPlan, 'waves' | 'warnings'>,
  { documents }: Pick<CompiledFleet, 'documents'>,
  input: ApplyInput,
): Omit<Run, 'checksum'> {
  const all = withMembersTogether(waves, newEtcds(documents, input.fresh));
  const run = all.map((wave, index): RunWave => {
    const later = all.slice(index + 1).flatMap(({ servers }) => servers);
    const coming = new Set(later.filter((server) => input.fresh.has(server)));
    return touched(wave, { ...input, documents, again: new Set(), coming });
  });
  return {
    format: 1,
    command: 'apply',
    waves: withObjects(run, input.apis),
    warnings: [...warnings, ...blindWarnings(waves, input.apis)],
  };
}

/** The objects of a cluster are written when its API is there, before its first worker needs them. */
function withObjects(waves: readonly RunWave[], apis: ReadonlySet<string>): readonly RunWave[] {
  const isApi = ({ kind }: RunWave): boolean => kind === 'etcd' || kind === 'control-plane';
  return waves.flatMap((wave) => {
    const { cluster } = wave;
    const own = waves.filter((other) => other.cluster === cluster);
    const isPlace = isApi(wave) && own.findLast(isApi) === wave;
    const isFirst = own[0] === wave && !own.some(isApi);
    if (!apis.has(cluster) || !(isPlace || isFirst)) return [wave];
    const objects: RunWave = { cluster, kind: 'cluster', servers: [], steps: [{ do: 'objects', cluster }] };
    return isPlace ? [wave, objects] : [objects, wave];
  });
}

/** Clusters of which no member of etcd ever got a document. */
function newEtcds(documents: CompiledFleet['documents'], fresh: ReadonlySet<string>): ReadonlySet<string> {
  const members = [...documents.values()].filter(({ server }) => server.roles.includes('etcd'));
  const old = new Set(members.filter(({ server }) => !fresh.has(server.id)).map(({ server }) => server.cluster));
  return new Set(members.map(({ server }) => server.cluster).filter((cluster) => !old.has(cluster)));
}

/** The waves of members of these clusters become one each, in the place of the first. */
function withMembersTogether(waves: readonly Wave[], clusters: ReadonlySet<string>): readonly Wave[] {
  const isMembers = (wave: Wave, of: string): boolean => wave.kind === 'etcd' && wave.cluster === of;
  return waves.flatMap((wave) => {
    if (wave.kind !== 'etcd' || !clusters.has(wave.cluster)) return [wave];
    const members = waves.filter((other) => isMembers(other, wave.cluster));
    return members[0] === wave ? [{ ...wave, servers: members.flatMap(({ servers }) => servers) }] : [];
  });
}
