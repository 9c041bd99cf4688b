import { deepEqual } from '../kube/objects/equal.ts';
import type { OwnObject } from '../kube/objects/own.ts';
import type { NewCondition, StatusCondition } from '../kube/status/conditions.ts';
import type { StatusWish } from '../kube/status/contest.ts';
import { apiVersion } from '../model/contract.ts';
import { answersOfDrain, areAllLookedAt, type DrainAnswers, policiesOfDrain } from '../model/platform/drain-answers.ts';
import { overlayStanding, verdictStanding } from '../model/platform/overlay-standing.ts';
import { type Standing, standingOf, zonesOfPolicy } from '../model/platform/policy-standing.ts';
import type { Drain, TrafficPolicy } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { ZoneView } from '../model/steering-status.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Verdict } from '../platform/spec-api.ts';
import { ownConditions } from './own-conditions.ts';

/** The field manager of what is written about DNS, by whichever agent or command. */
export const steeringManager = 'tideline-steering';

/** What somebody found who looked at the zones. */
export interface Looked {
  readonly platform: Platform;
  readonly digest: string;
  readonly zones: readonly ZoneView[];
  /** What became of the objects of the API in this platform. */
  readonly verdicts: readonly Verdict[];
}

const resources = {
  TrafficPolicy: 'trafficpolicies',
  Drain: 'drains',
  TrafficOverlay: 'trafficoverlays',
  TrafficVerdict: 'trafficverdicts',
} as const;
export type SteeredKind = keyof typeof resources;
/** The kinds of which something is said. */
export const steeredKinds = Object.keys(resources) as readonly SteeredKind[];

/**
 * The status that TrafficPolicies of an API should have, what DNS makes of its Drains and overlays, and whether a word about one counts. An object that was edited since somebody looked keeps
 * what was wanted before, and so do those that nobody looked at.
 */
export class SteeredStatuses {
  #wishes: ReadonlyMap<string, StatusWish> = new Map();

  /** The wishes for these objects, of the API at `place`; one that says the same as before is the identical one. */
  wishes(
    place: string,
    objects: (kind: SteeredKind) => Iterable<OwnObject<string>>,
    looked: Looked,
    nowMs: number,
  ): readonly StatusWish[] {
    const said = new Map(
      looked.verdicts.flatMap((one) => (one.place === place ? [[`${one.kind}/${one.name}`, one] as const] : [])),
    );
    const wishes = steeredKinds.flatMap((kind) =>
      this.#of(kind, objects(kind), said, (object, verdict, last) =>
        kind === 'TrafficPolicy'
          ? policyWish(object, { verdict, looked }, last, nowMs)
          : conditionWish(object, saidIn(kind, object, { verdict, looked }, nowMs), { kind, last }, nowMs),
      ),
    );
    this.#wishes = new Map(wishes);
    return wishes.map(([, wish]) => wish);
  }

  #of(
    kind: string,
    objects: Iterable<OwnObject<string>>,
    said: ReadonlyMap<string, Verdict>,
    wishOf: (object: OwnObject<string>, verdict: Verdict, last: StatusWish | undefined) => StatusWish | undefined,
  ): readonly (readonly [key: string, wish: StatusWish])[] {
    return [...objects].flatMap((object) => {
      const key = `${kind}/${object.metadata.name}`;
      const last = this.#wishes.get(key);
      const verdict = said.get(key);
      const isNow = verdict !== undefined && verdict.generation === object.metadata.generation;
      const wish = isNow ? wishOf(object, verdict, last) : last;
      if (wish === undefined) return [];
      return [[key, last !== undefined && deepEqual(wish, last) ? last : wish] as const];
    });
  }
}

interface About {
  readonly verdict: Verdict;
  readonly looked: Looked;
}

interface HeldZone {
  readonly provider?: string;
  readonly zone?: string;
  readonly generation?: number;
  readonly since?: string;
}

interface HeldAnswers {
  readonly dnsShare?: number;
  readonly dnsShareByFamily?: DrainAnswers['byFamily'];
  readonly dnsEmptyAt?: string;
}

interface Held extends HeldAnswers {
  readonly conditions?: readonly Partial<StatusCondition>[];
  readonly observedGeneration?: number;
  readonly specDigest?: string;
  readonly zones?: readonly HeldZone[];
  readonly zoneList?: string;
}

function policyWish(
  { metadata, status }: OwnObject<string>,
  { verdict, looked }: About,
  last: StatusWish | undefined,
  nowMs: number,
): StatusWish {
  const { name, uid, generation } = metadata;
  const held = (status ?? {}) as Held;
  const { conditions: before } = (last?.wanted ?? {}) as Held;
  const policy = verdict.state === 'refused' ? undefined : looked.platform.policies.get(name);
  const conditions = ownConditions(
    policyConditions(verdict, policy, looked.zones),
    ['Accepted', 'InForce'],
    { held: held.conditions ?? [], before },
    { nowMs, generation },
  );
  const zones = policy === undefined ? [] : generationsOf(policy, looked.zones, held.zones ?? [], nowMs);
  const said = {
    specDigest: looked.digest,
    zones,
    zoneList: zones.map((one) => `${one.provider} ${one.generation}`).join(','),
  };
  const observedGeneration = generation;
  const { specDigest, zones: heldZones, zoneList } = held;
  return {
    object: {
      apiVersion,
      kind: 'TrafficPolicy',
      resource: resources.TrafficPolicy,
      name,
      ...withoutUndefined({ uid }),
    },
    wanted: { conditions: conditions.wanted, ...said, ...withoutUndefined({ observedGeneration }) },
    held:
      status === undefined
        ? undefined
        : {
            conditions: conditions.held,
            ...withoutUndefined({
              specDigest,
              zones: heldZones,
              zoneList,
              observedGeneration: held.observedGeneration,
            }),
          },
  };
}

function policyConditions(
  { state, reason, message }: Verdict,
  policy: TrafficPolicy | undefined,
  zones: readonly ZoneView[],
): readonly NewCondition[] {
  const accepted: NewCondition = { type: 'Accepted', status: state === 'accepted' ? 'True' : 'False', reason, message };
  if (policy === undefined) return [accepted, { type: 'InForce', status: 'False', reason, message }];
  return [accepted, conditionOf('InForce', standingOf(policy, zones))];
}

/** The generation that each zone has, and since when as far as the object remembers; of a zone that nobody read now what stands there. */
function generationsOf(policy: TrafficPolicy, zones: readonly ZoneView[], held: readonly HeldZone[], nowMs: number) {
  const { zone, providers } = policy.spec.dns;
  const views = zonesOfPolicy(policy, zones);
  return providers.flatMap((provider): readonly HeldZone[] => {
    const generation = views.find((view) => view.provider === provider)?.generation;
    const before = held.filter((one) => one.provider === provider && one.zone === zone);
    if (generation === undefined) return before;
    const since = before.find((one) => one.generation === generation)?.since;
    return [{ provider, zone, generation, since: since ?? new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z') }];
  });
}

/** What is to be said of an object of which steering says one condition only; undefined where there is nothing to say. */
function standingIn(
  kind: Exclude<SteeredKind, 'TrafficPolicy'>,
  { verdict: { name, state, reason, message }, looked }: About,
  nowMs: number,
): Standing | undefined {
  const { platform, zones } = looked;
  if (kind === 'Drain') {
    const drain = state === 'refused' ? undefined : platform.drains.get(name);
    return drain === undefined ? undefined : followingOf(drain, looked, nowMs);
  }
  if (state === 'refused') return { status: 'False', reason, message };
  if (kind === 'TrafficVerdict') return verdictStanding(name, platform);
  const view = platform.overlaid?.find((one) => one.name === name);
  return view === undefined ? undefined : overlayStanding(view, platform, zones);
}

/** What a status says: one condition, and of a Drain also how much DNS still leads there. */
interface Said {
  readonly standing: Standing | undefined;
  readonly answers: HeldAnswers;
}

function saidIn(
  kind: Exclude<SteeredKind, 'TrafficPolicy'>,
  { status }: OwnObject<string>,
  about: About,
  nowMs: number,
): Said {
  const standing = standingIn(kind, about, nowMs);
  const { platform, zones } = about.looked;
  if (kind !== 'Drain' || standing === undefined) return { standing, answers: {} };
  // While a zone is not looked at, what was found last stays.
  if (!areAllLookedAt(platform, zones)) return { standing, answers: heldAnswers((status ?? {}) as Held) };
  const answers = answersOfDrain(about.verdict.name, zones);
  return { standing, answers: answers === undefined ? {} : written(answers) };
}

function written({ share, byFamily, emptyAtMs }: DrainAnswers): HeldAnswers {
  const dnsEmptyAt = emptyAtMs === undefined ? undefined : new Date(emptyAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return { dnsShare: share, dnsShareByFamily: byFamily, ...withoutUndefined({ dnsEmptyAt }) };
}

function heldAnswers({ dnsShare, dnsShareByFamily, dnsEmptyAt }: Held): HeldAnswers {
  return withoutUndefined({ dnsShare, dnsShareByFamily, dnsEmptyAt });
}

/** A status of one condition; undefined where nothing is to be said and nothing was said. */
function conditionWish(
  { metadata, status }: OwnObject<string>,
  { standing, answers }: Said,
  { kind, last }: { readonly kind: Exclude<SteeredKind, 'TrafficPolicy'>; readonly last: StatusWish | undefined },
  nowMs: number,
): StatusWish | undefined {
  const { name, uid, generation } = metadata;
  const type = kind === 'Drain' ? 'InDns' : 'InForce';
  const stood = (status ?? {}) as Held;
  const held = stood.conditions ?? [];
  const { conditions: before } = (last?.wanted ?? {}) as Held;
  const said = standing === undefined ? [] : [conditionOf(type, standing)];
  const conditions = ownConditions(said, [type], { held, before }, { nowMs, generation });
  if (said.length + conditions.held.length === 0) return undefined;
  return {
    object: { apiVersion, kind, resource: resources[kind], name, ...withoutUndefined({ uid }) },
    wanted: said.length === 0 ? undefined : { conditions: conditions.wanted, ...answers },
    held: conditions.held.length === 0 ? undefined : { conditions: conditions.held, ...heldAnswers(stood) },
  };
}

/** Whether the records of every policy that names what is drained follow the Drain; undefined where none does. */
function followingOf(drain: Drain, { platform, zones }: Looked, nowMs: number): Standing | undefined {
  const policies = policiesOfDrain(platform, drain, nowMs);
  if (policies.length === 0) return undefined;
  const standings = policies.map((policy) => {
    const { message, ...standing } = standingOf(policy, zones);
    return { ...standing, message: `policy ${policy.metadata.name}: ${message}` };
  });
  return (
    standings.find(({ status }) => status === 'False') ??
    standings.find(({ status }) => status === 'Unknown') ?? {
      status: 'True',
      reason: 'InForce',
      message: standings.map(({ message }) => message).join('; '),
    }
  );
}

function conditionOf(type: string, { message, ...standing }: Standing): NewCondition {
  return { type, ...standing, message: message.slice(0, 4096) };
}
