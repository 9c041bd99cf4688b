import {
  holdsConditions,
  type NewCondition,
  type StatusCondition,
  withTransitionTimes,
} from '../kube/status/conditions.ts';
import type { StatusWish } from '../kube/status/contest.ts';
import { apiVersion } from '../model/contract.ts';
import { type DnsOfDrain, leftWithAnswers } from '../model/platform/drain-answers.ts';
import type { LeftCounts, LeftTogether } from '../model/platform/drain-left.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Verdict } from '../platform/spec-api.ts';
import { answersInStatus } from './answers-in-status.ts';
import { type Judged, JudgedWishes } from './judged-wishes.ts';
import type { PlatformApi } from './source.ts';

export interface DrainStatusOptions {
  readonly api: PlatformApi;
  readonly verdicts: () => readonly Verdict[];
  /** What is left of each of these Drains, as far as it is known. */
  readonly left: (names: readonly string[]) => ReadonlyMap<string, LeftTogether>;
  /** Whether policies of the platform in force name what this Drain takes out of service. */
  readonly concernsDns: (name: string) => boolean;
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
    const { api, verdicts, left, concernsDns, now } = this.#options;
    const { place } = api.current();
    const said = verdicts();
    const taken = said.filter((one) => one.kind === 'Drain' && one.place === place && one.state !== 'refused');
    const known = left(taken.map(({ name }) => name));
    return this.#wishes.renewed(api, said, (judged) => {
      const { name } = judged.object.metadata;
      return wishFor(judged, { left: known.get(name), concernsDns: concernsDns(name), nowMs: now() });
    });
  }
}

interface Held {
  readonly conditions?: readonly Partial<StatusCondition>[];
  readonly observedGeneration?: number;
  readonly left?: LeftCounts;
}

const types = ['Accepted', 'InForce', 'Empty'];

interface Known {
  /** Undefined while it is not known here, and then what stands there stays. */
  readonly left: LeftTogether | undefined;
  readonly concernsDns: boolean;
  readonly nowMs: number;
}

/** What is to be said of a Drain. */
function wishFor({ object, verdict, last }: Judged<'Drain'>, { left, concernsDns, nowMs }: Known): StatusWish {
  const { metadata, spec, status } = object;
  const { name, uid, generation } = metadata;
  const held = (status ?? {}) as Held;
  const earlier = (last?.wanted as Held | undefined)?.conditions ?? held.conditions ?? [];
  const judged = conditionsOf(verdict, spec, nowMs);
  const lasts = judged.some(({ type, status: is }) => type === 'InForce' && is === 'True');
  const dns = answersInStatus(status) ?? (concernsDns ? 'unknown' : undefined);
  const empty = lasts && left !== undefined ? [emptyOf(left, dns, nowMs)] : [];
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

const dnsNotKnown = 'neither a steering agent nor an apply says here what DNS answers';

/** Whether the machine may be switched off. */
function emptyOf(servers: LeftTogether, dns: DnsOfDrain, nowMs: number): NewCondition {
  const { phase, left } = leftWithAnswers(servers, dns, nowMs);
  const isOnlyDns = phase === 'unknown' && servers.phase !== 'unknown';
  const [status, reason] = {
    empty: ['True', 'NothingLeft'] as const,
    draining: ['False', 'Draining'] as const,
    waiting: ['False', 'NotHeardOf'] as const,
    unknown: ['Unknown', isOnlyDns ? 'DnsNotKnown' : 'NotKnown'] as const,
  }[phase];
  const text = left.join('; ') || (phase === 'empty' ? 'nothing is left' : 'no agent is known that it concerns');
  const why = dns === 'unknown' ? `: ${dnsNotKnown}` : '';
  return { type: 'Empty', status, reason, message: `${text}${why}`.slice(0, 1024) };
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
