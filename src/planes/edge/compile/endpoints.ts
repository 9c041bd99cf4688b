import type { EndpointSlice } from '../../../kube/kinds/endpoint-slice.ts';
import type { ServicePort } from '../../../kube/kinds/service.ts';
import type { ObjectKey } from '../../../kube/objects/metadata.ts';
import { compareText } from '../../../model/values.ts';
import type { EdgeProblem } from '../reasons.ts';
import type { Endpoint } from '../table.ts';
import { checkEndpoint, type EndpointRules } from './endpoint-rules.ts';
import type { ServiceSlices } from './slices.ts';

export interface ResolvedEndpoints {
  /** Sorted, without duplicates. */
  readonly endpoints: readonly Endpoint[];
  /** How many of the Service's endpoints are ready; may be 0 while `endpoints` is not empty. */
  readonly ready: number;
  readonly problems: readonly EdgeProblem[];
}

/** 0 ready, 1 serving while it terminates, 2 unready, 3 terminating and not serving. The lowest tier that exists serves. */
type Tier = 0 | 1 | 2 | 3;
interface Candidate extends Endpoint {
  readonly tier: Tier;
  readonly family: 4 | 6;
}

/**
 * The endpoints of one Service port, from all its slices. Only the ready ones; when none is ready the serving ones;
 * when none is serving all that do not terminate; else all: the list is empty only when the Service has no endpoint.
 */
export function resolveEndpoints(slices: ServiceSlices, port: ServicePort, rules: EndpointRules): ResolvedEndpoints {
  const candidates: Candidate[] = [];
  const problems: EdgeProblem[] = [];
  for (const [key, slice] of slices) {
    const found = readSlice(key, slice, port, rules);
    candidates.push(...found.candidates);
    problems.push(...found.problems);
  }
  const preferred = candidates.filter((candidate) => candidate.family === rules.family);
  const pool = preferred.length > 0 ? preferred : candidates;
  const best = pool.reduce<Tier>((lowest, { tier }) => (tier < lowest ? tier : lowest), 3);
  const serving = pool.filter((candidate) => candidate.tier === best);
  return { endpoints: sortedUnique(serving), ready: best === 0 ? serving.length : 0, problems };
}

interface SliceReading {
  readonly candidates: readonly Candidate[];
  readonly problems: readonly EdgeProblem[];
}

/** Reads one slice; whatever is wrong in it affects no other slice. */
function readSlice(key: ObjectKey, slice: EndpointSlice, port: ServicePort, rules: EndpointRules): SliceReading {
  const object = `EndpointSlice/${key}`;
  try {
    const number = portIn(slice, port);
    if (number === undefined) return { candidates: [], problems: [] };
    const candidates: Candidate[] = [];
    const problems: EdgeProblem[] = [];
    for (const [index, endpoint] of (slice.endpoints ?? []).entries()) {
      const text = endpoint.addresses[0];
      const checked = checkEndpoint(text, rules);
      if (!checked.ok) {
        const { reason, message } = checked;
        problems.push({ object, path: `endpoints[${index}].addresses[0]`, reason, message });
        continue;
      }
      const { address, family } = checked;
      candidates.push({ address, family, port: number, tier: tierOf(endpoint.conditions ?? {}) });
    }
    return { candidates, problems };
  } catch {
    return {
      candidates: [],
      problems: [{ reason: 'Malformed', object, message: 'not the shape of an EndpointSlice' }],
    };
  }
}

/**
 * The target port in a slice. Slices hold it under the name of the Service's port; a hand-made slice may only agree by
 * number.
 */
function portIn(slice: EndpointSlice, port: ServicePort): number | undefined {
  const ports = (slice.ports ?? []).filter((candidate) => (candidate.protocol ?? 'TCP') === 'TCP');
  const match =
    ports.find((candidate) => (candidate.name ?? '') === (port.name ?? '')) ??
    ports.find((candidate) => candidate.port !== undefined && candidate.port === port.targetPort);
  const number = match?.port;
  return number !== undefined && Number.isInteger(number) && number >= 1 && number <= 65_535 ? number : undefined;
}

/**
 * An absent `ready` means true, an absent `serving` the same as `ready`, an absent `terminating` false (API reference).
 */
function tierOf(conditions: {
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
}): Tier {
  const ready = conditions.ready ?? true;
  if (ready) return 0;
  if (conditions.serving === true) return 1;
  return conditions.terminating === true ? 3 : 2;
}

function sortedUnique(candidates: readonly Candidate[]): readonly Endpoint[] {
  return candidates
    .map(({ address, port }) => ({ address, port }))
    .sort((a, b) => compareText(a.address, b.address) || a.port - b.port)
    .filter(({ address, port }, at, all) => at === 0 || all[at - 1]?.address !== address || all[at - 1]?.port !== port);
}
