import type { NewCondition, StatusCondition } from '../kube/status/conditions.ts';
import type { StatusWish } from '../kube/status/contest.ts';
import { apiVersion } from '../model/contract.ts';
import type { ApiKindName } from '../model/spec/kinds.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Verdict } from '../platform/spec-api.ts';
import { type Judged, JudgedWishes } from './judged-wishes.ts';
import { ownConditions } from './own-conditions.ts';
import type { PlatformApi } from './source.ts';

/** The kinds of which nothing is to be said but whether they are taken and in force. */
const resources = {
  Site: 'sites',
  Cluster: 'clusters',
  Freeze: 'freezes',
  TrafficOverlay: 'trafficoverlays',
  TrafficVerdict: 'trafficverdicts',
} as const satisfies Partial<Record<ApiKindName, string>>;
type PlainKind = keyof typeof resources;
const kinds = Object.keys(resources) as readonly PlainKind[];
/** Of these it is said whether they are taken, and no more: what of an overlay is in force depends on verdicts, on its policy and on the time. */
const onlyTaken: ReadonlySet<PlainKind> = new Set(['TrafficOverlay', 'TrafficVerdict']);

export interface SpecStatusOptions {
  readonly api: Pick<PlatformApi, 'current' | 'objects'>;
  readonly verdicts: () => readonly Verdict[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The status that each object of these kinds in the API should have: whether it is accepted, and, but for two, whether it is in force since when. */
export class SpecStatuses {
  readonly #options: SpecStatusOptions;
  readonly #wishes = new JudgedWishes(kinds);

  constructor(options: SpecStatusOptions) {
    this.#options = options;
  }

  /** The wishes for all objects. List and wishes are the identical ones as before while nothing changed. */
  wishes(): readonly StatusWish[] {
    const { api, verdicts, now } = this.#options;
    return this.#wishes.renewed(api, verdicts(), (judged) => wishFor(judged, now()));
  }
}

interface Held {
  readonly conditions?: readonly Partial<StatusCondition>[];
  readonly observedGeneration?: number;
}

function wishFor({ kind, object, verdict, last }: Judged<PlainKind>, nowMs: number): StatusWish {
  const { metadata, spec, status } = object;
  const { name, uid, generation } = metadata;
  const held = (status ?? {}) as Held;
  const { conditions: before } = (last?.wanted ?? {}) as Held;
  const types = onlyTaken.has(kind) ? ['Accepted'] : ['Accepted', 'InForce'];
  const conditions = ownConditions(
    conditionsOf(verdict, spec, nowMs).filter(({ type }) => types.includes(type)),
    types,
    { held: held.conditions ?? [], before },
    { nowMs, generation },
  );
  return {
    object: { apiVersion, kind, resource: resources[kind], name, ...withoutUndefined({ uid }) },
    wanted: { conditions: conditions.wanted, ...withoutUndefined({ observedGeneration: generation }) },
    held:
      status === undefined
        ? undefined
        : {
            conditions: conditions.held,
            ...withoutUndefined({ observedGeneration: held.observedGeneration }),
          },
  };
}

function conditionsOf(
  { state, reason, message }: Verdict,
  spec: Readonly<Record<string, unknown>> | undefined,
  nowMs: number,
): readonly NewCondition[] {
  const accepted: NewCondition = { type: 'Accepted', status: state === 'accepted' ? 'True' : 'False', reason, message };
  // Only a Freeze ends by itself.
  const until = state === 'accepted' ? spec?.['until'] : undefined;
  if (typeof until === 'string' && Date.parse(until) <= nowMs)
    return [accepted, { type: 'InForce', status: 'False', reason: 'Expired', message: `it ended at ${until}` }];
  // Of an object that cannot be read the version before is in force.
  return [accepted, { type: 'InForce', status: state === 'refused' ? 'False' : 'True', reason, message }];
}
