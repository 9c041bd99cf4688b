import {
  holdsConditions,
  type NewCondition,
  type StatusCondition,
  withTransitionTimes,
} from '../kube/status/conditions.ts';
import type { StatusWish } from '../kube/status/contest.ts';
import { apiVersion } from '../model/contract.ts';
import { type DrainAnswers, leftWithAnswers } from '../model/platform/drain-answers.ts';
import type { LeftCounts, LeftTogether } from '../model/platform/drain-left.ts';
import { valueAt } from '../model/spec/document.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Verdict } from '../platform/spec-api.ts';
import { type Judged, JudgedWishes } from './judged-wishes.ts';
import type { PlatformApi } from './source.ts';

export interface DrainStatusOptions {
  readonly api: PlatformApi;
  readonly verdicts: () => readonly Verdict[];
  /** What is left of each of these Drains, as far as it is known. */
  readonly left: (names: readonly string[]) => ReadonlyMap<string, LeftTogether>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The status that each Drain in the API should have: whether it is accepted, whether it is in force and since when, and what is left. */
export class DrainStatuses {
  readonly #options: DrainStatusOptions;
  readonly #wishes = new JudgedWishes(['Drain'] as const);

  constructor(options: DrainStatusOptions) {
    this.#options = options;
  }

  /** The wishes for all Drains. List and wishes are the identical ones as before while nothing changed. */
  wishes(): readonly StatusWish[] {
    const { api, verdicts, left, now } = this.#options;
    const { place } = api.current();
    const said = verdicts();
    const taken = said.filter((one) => one.kind === 'Drain' && one.place === place && one.state !== 'refused');
    const known = left(taken.map(({ name }) => name));
    return this.#wishes.renewed(api, said, (judged) => wishFor(judged, known.get(judged.object.metadata.name), now()));
  }
}

interface Held {
  readonly conditions?: readonly Partial<StatusCondition>[];
  readonly observedGeneration?: number;
  readonly left?: LeftCounts;
  /** What whoever writes DNS said of it. */
  readonly dnsShare?: number;
  readonly dnsShareByFamily?: DrainAnswers['byFamily'];
  readonly dnsEmptyAt?: string;
}

/** How much DNS still leads there, as it stands in the status; undefined where nobody said it. */
function answersIn({ dnsShare, dnsShareByFamily = {}, dnsEmptyAt }: Held): DrainAnswers | undefined {
  if (dnsShare === undefined) return undefined;
  const emptyAtMs = dnsEmptyAt === undefined ? undefined : Date.parse(dnsEmptyAt);
  return { share: dnsShare, byFamily: dnsShareByFamily, ...withoutUndefined({ emptyAtMs }) };
}

const types = ['Accepted', 'InForce', 'Empty'];

/** What is to be said of a Drain; `left` is undefined while it is not known here, and then what stands there stays. */
function wishFor(
  { object, verdict, last }: Judged<'Drain'>,
  left: LeftTogether | undefined,
  nowMs: number,
): StatusWish {
  const { metadata, spec, status } = object;
  const { name, uid, generation } = metadata;
  const held = (status ?? {}) as Held;
  const earlier = (last?.wanted as Held | undefined)?.conditions ?? held.conditions ?? [];
  const judged = conditionsOf(verdict, spec, nowMs);
  const lasts = judged.some(({ type, status: is }) => type === 'InForce' && is === 'True');
  const empty =
    lasts && left !== undefined
      ? [emptyOf(left, { answers: answersIn(held), ofCluster: isOfCluster(spec), nowMs })]
      : [];
  const stays = lasts && left === undefined ? (held.conditions ?? []).filter(({ type }) => type === 'Empty') : [];
  const conditions = [...withTransitionTimes([...judged, ...empty], earlier, nowMs, generation), ...stays];
  const counts = lasts ? (left === undefined ? held.left : left.counts) : undefined;
  const mine = (held.conditions ?? []).filter(({ type }) => types.includes(type ?? ''));
  const holds = mine.length === conditions.length && holdsConditions(mine, conditions as readonly StatusCondition[]);
  return {
    object: { apiVersion, kind: 'Drain', resource: 'drains', name, ...withoutUndefined({ uid }) },
    wanted: { conditions, ...withoutUndefined({ observedGeneration: generation, left: counts }) },
    held:
      status === undefined
        ? undefined
        : {
            conditions: holds ? conditions : mine,
            ...withoutUndefined({ observedGeneration: held.observedGeneration, left: held.left }),
          },
  };
}

/** Whether it takes a cluster out of service, so that DNS has to follow. */
function isOfCluster(spec: Readonly<Record<string, unknown>> | undefined): boolean {
  return valueAt(spec, ['target', 'kind']) === 'Cluster';
}

interface OfDns {
  readonly answers: DrainAnswers | undefined;
  readonly ofCluster: boolean;
  readonly nowMs: number;
}

/** Whether the machine may be switched off. */
function emptyOf(servers: LeftTogether, { answers, ofCluster, nowMs }: OfDns): NewCondition {
  const { phase, left } = leftWithAnswers(servers, answers, nowMs);
  const follows = ofCluster && answers === undefined;
  const dns = follows ? '; DNS follows by health checks, and by records where InDns is True' : '';
  const [status, reason] = {
    empty: ['True', 'NothingLeft'] as const,
    draining: ['False', 'Draining'] as const,
    waiting: ['False', 'NotHeardOf'] as const,
    unknown: ['Unknown', 'NotKnown'] as const,
  }[phase];
  const text = left.join('; ') || (phase === 'empty' ? 'nothing is left' : 'no agent is known that it concerns');
  return { type: 'Empty', status, reason, message: `${text}${dns}`.slice(0, 1024) };
}

function conditionsOf(
  { state, reason, message }: Verdict,
  spec: Readonly<Record<string, unknown>> | undefined,
  nowMs: number,
): readonly NewCondition[] {
  const accepted: NewCondition = { type: 'Accepted', status: state === 'accepted' ? 'True' : 'False', reason, message };
  if (state !== 'accepted') {
    // Of an object that cannot be read the version before is in force.
    const status = state === 'held' ? 'True' : 'False';
    return [accepted, { type: 'InForce', status, reason, message }];
  }
  const expires = String(spec?.['expires']);
  const over = !(Date.parse(expires) > nowMs);
  return [
    accepted,
    over
      ? { type: 'InForce', status: 'False', reason: 'Expired', message: `it ended at ${expires}` }
      : { type: 'InForce', status: 'True', reason: 'InForce', message: `until ${expires}` },
  ];
}
