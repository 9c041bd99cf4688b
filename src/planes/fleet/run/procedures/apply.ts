import type { CompiledFleet } from '../../compile/compile.ts';
import type { ServerDocument } from '../../compile/document.ts';
import type { Wave } from '../../compile/waves.ts';
import type { FleetPlan } from '../../plan.ts';
import type { Run, RunWave, Step } from '../steps.ts';

/**
 * What `apply` does: the waves of a plan, each with its steps. `fresh` are servers that never got a document. Members of an etcd that is new come in one
 * wave, because the first of them is not well before there are enough of them.
 */
export function applyRun(
  { waves, warnings }: Pick<FleetPlan, 'waves' | 'warnings'>,
  after: CompiledFleet,
  fresh: ReadonlySet<string>,
): Omit<Run, 'checksum'> {
  const together = newEtcds(after.documents, fresh);
  const steps = (wave: Wave): RunWave => ({ ...wave, steps: stepsFor(wave, after.documents, fresh) });
  return { format: 1, command: 'apply', waves: withMembersTogether(waves, together).map(steps), warnings };
}

function stepsFor(
  { servers }: Wave,
  documents: CompiledFleet['documents'],
  fresh: ReadonlySet<string>,
): readonly Step[] {
  const unsigned = servers.filter((server) => isUnsigned(documents.get(server)));
  const running = servers.filter((server) => !fresh.has(server) && hasOrchestrated(documents.get(server)));
  return [
    ...(unsigned.length === 0
      ? []
      : [{ do: 'apply', servers: unsigned, components: ['pki'] } as const, { do: 'sign', servers: unsigned } as const]),
    { do: 'apply', servers },
    ...(running.length > 0 ? [{ do: 'restart', servers: running } as const] : []),
  ];
}

function hasOrchestrated(document: ServerDocument | undefined): boolean {
  const units = document?.components.flatMap((component) => Object.values(component.units)) ?? [];
  return units.some(({ onChange }) => onChange === 'orchestrated');
}

/** Whether a certificate is wanted that nobody has signed yet. */
function isUnsigned(document: ServerDocument | undefined): boolean {
  return Object.values(document?.pki.certificates ?? {}).some(({ pem }) => pem === undefined);
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
