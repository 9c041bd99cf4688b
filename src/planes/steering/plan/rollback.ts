import type { RecordSet } from '../../../answers/record.ts';
import { forbiddenClusters, networksOfPolicy, policyOfHost } from '../../../model/platform/policies.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { ZoneAtProvider } from '../compile/intent.ts';
import type { ZoneReader } from '../providers/provider.ts';
import { badInput, SteeringError, type SteeringNotice } from '../reasons.ts';
import { historyOf, type PastApply } from '../records/history.ts';
import { type Inputs, inputsOf, readInputs } from './inputs.ts';
import { type Asked, planStep, type ZonePlan } from './plan.ts';

/**
 * Plans what leads the zone back to the policies of an earlier apply. The clusters, their addresses, health checks and drains are those of
 * today, and so is the guard of each policy that still exists. Throws what `planStep` throws; UnknownGeneration, InputsGone, and
 * NoLongerHolds when a cluster of these policies is gone or has other addresses.
 */
export async function planRollback(
  platform: Platform,
  reader: ZoneReader,
  { zone, apply }: { readonly zone: string; readonly apply: string },
  nowMs: number,
  asked: Asked = {},
): Promise<ZonePlan> {
  const at = { provider: reader.name, zone };
  const state = await reader.read(zone);
  const earlier = applyOf(at, apply, state.records);
  const { generation } = earlier;
  const then = readInputs(zone, earlier, state.records);
  const now = inputsOf(platform, at, nowMs);
  const policies = then.policies.map((policy) => withGuardOf(platform.policies.get(policy.metadata.name), policy));
  const back = {
    ...platform,
    overlaid: [],
    policies: new Map(policies.map((policy) => [policy.metadata.name, policy])),
  };
  const today = inputsOf(back, at, nowMs);
  refuse(generation, [...otherAddresses(then, today), ...allowedAgain(platform, then)]);
  const purpose = { kind: 'everything', rollback: generation } as const;
  const networks = policies.some(({ spec }) => networksOfPolicy(spec).length > 0);
  const same = networks && state.collections === undefined ? await reader.read(zone, { networks }) : state;
  const plan = await planStep(back, { ...reader, read: async () => same }, { zone, purpose }, nowMs, asked);
  return { ...plan, notices: [...drainsOf(then, today, generation), ...otherwise(now, then), ...plan.notices] };
}

/**
 * The apply that wrote this generation last, or carried out the plan of this checksum; throws UnknownGeneration when none that was
 * finished did.
 */
export function applyOf({ provider, zone }: ZoneAtProvider, apply: string, records: readonly RecordSet[]): PastApply {
  const finished = historyOf(zone, records).applies.filter(
    ({ outcome, task }) => outcome === 'done' && task !== 'restore',
  );
  const found = finished.find((one) => apply === one.plan || apply === String(one.generation));
  if (found !== undefined) return found;
  const known = finished.filter(({ isKept }) => isKept).map((one) => one.generation);
  throw badInput(
    'UnknownGeneration',
    `no finished apply in the ${provider} zone ${zone} wrote generation ${apply}, or is of that plan, as far as the zone remembers`,
    known.length === 0
      ? 'take the policies of that day from the repository of the platform spec'
      : `name one of these generations, which \`tideline steering history\` describes: ${known.join(', ')}`,
  );
}

/** A rollback is judged by what people allow today. */
function withGuardOf(present: TrafficPolicy | undefined, policy: TrafficPolicy): TrafficPolicy {
  return present === undefined ? policy : { ...policy, spec: { ...policy.spec, guard: present.spec.guard } };
}

function otherAddresses(then: Inputs, today: Inputs): readonly string[] {
  return then.clusters.flatMap(({ name, addresses }) => {
    const cluster = today.clusters.find((one) => one.name === name);
    if (cluster === undefined) return [`Cluster/${name} is not in the platform spec any more`];
    if (addresses.toSorted().join() === cluster.addresses.toSorted().join()) return [];
    const text = (some: readonly string[]): string => (some.length === 0 ? 'no address' : some.join(' and '));
    return [`Cluster/${name} had ${text(addresses)} then and has ${text(cluster.addresses)} now`];
  });
}

/** What users never reach today of a host's policy, and would be led to by the earlier one. */
function allowedAgain(platform: Platform, then: Inputs): readonly string[] {
  return then.policies.flatMap(({ metadata, spec }) => {
    const present = new Set([
      platform.policies.get(metadata.name),
      ...spec.hosts.map((host) => policyOfHost(platform, host)),
    ]);
    const named = new Set(then.clusters.map(({ name }) => name));
    const former = forbiddenClusters(spec);
    return [...present].flatMap((policy) => {
      const never = policy === undefined ? [] : [...forbiddenClusters(policy.spec)];
      const pairs = never.flatMap(([country, clusters]) =>
        [...clusters.keys()].filter((name) => named.has(name) && former.get(country)?.has(name) !== true),
      );
      return [...new Set(pairs)].map(
        (name) => `spec.never of ${policy?.metadata.name} keeps users from ${name} today and did not then`,
      );
    });
  });
}

/** Throws NoLongerHolds when there are faults. */
function refuse(generation: number, faults: readonly string[]): void {
  if (faults.length === 0) return;
  throw new SteeringError(
    'NoLongerHolds',
    `the policies of generation ${generation} cannot be put back: ${[...new Set(faults)].join('; ')}; change that in the platform spec first, or change the policies there and apply them`,
  );
}

function drainsOf(then: Inputs, today: Inputs, generation: number): readonly SteeringNotice[] {
  return then.clusters.flatMap(({ name, drained }): readonly SteeringNotice[] => {
    const cluster = today.clusters.find((one) => one.name === name);
    if (cluster === undefined || cluster.drained === drained) return [];
    const message = drained
      ? `${name} was drained at generation ${generation} and is not now: users are led to it`
      : `${name} was not drained at generation ${generation} and is now: it stays drained`;
    return [{ reason: 'DrainsOfToday', message }];
  });
}

/** Names the policies of which the spec says something else than the rollback. */
function otherwise(now: Inputs, then: Inputs): readonly SteeringNotice[] {
  const textsOf = ({ policies }: Inputs): ReadonlyMap<string, string> =>
    new Map(policies.map(({ metadata: { name }, spec: { guard: _guard, ...spec } }) => [name, JSON.stringify(spec)]));
  const [texts, others] = [textsOf(now), textsOf(then)];
  const names = [...new Set([...texts.keys(), ...others.keys()])].filter(
    (name) => texts.get(name) !== others.get(name),
  );
  if (names.length === 0) return [];
  const message = `the platform spec says something else of ${names.sort().join(' and ')}, and the next apply of it undoes this: revert it in its repository too, and until then keep applies back with \`tideline freeze FOLDER --reason TEXT\``;
  return [{ reason: 'SpecSaysOtherwise', message }];
}
