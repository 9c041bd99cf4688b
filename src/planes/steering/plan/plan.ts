import { createHash } from 'node:crypto';
import { formatRecord } from '../../../answers/record.ts';
import type { InputError } from '../../../model/problem.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { HealthCheck } from '../compile/entries.ts';
import { type Intent, intentOf, zonesOf } from '../compile/intent.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import { dialects } from '../dialects/table.ts';
import type { ZoneReader, ZoneState } from '../providers/provider.ts';
import { badInput, type SteeringNotice } from '../reasons.ts';
import { type Batch, batchesOf } from '../records/batches.ts';
import { type Changes, changesOf } from '../records/changes.ts';
import { type HostImpact, impactOf } from './impact.ts';

/** What would be done in one zone of one provider. No part of a plan depends on the time or on chance. */
export interface ZonePlan {
  readonly provider: ProviderName;
  readonly zone: string;
  readonly state: ZoneState;
  readonly intent: Intent;
  readonly changes: Changes;
  readonly batches: readonly Batch[];
  readonly createHealthChecks: readonly HealthCheck[];
  /** Keys of our checks that no wanted record uses. */
  readonly deleteHealthChecks: readonly string[];
  readonly impacts: readonly HostImpact[];
  /** Hosts that move more traffic than their policy's guard allows. */
  readonly overGuard: readonly OverGuard[];
  readonly notices: readonly SteeringNotice[];
}

interface OverGuard {
  readonly host: string;
  readonly movedShare: number;
  readonly allowedShare: number;
}

/**
 * Plans every zone of a provider, or of all, that the policies name, each with a reader of `connect`. Throws what `planZone`
 * throws, and an InputError when there is no such zone.
 */
export async function planZones(
  platform: Platform,
  provider: ProviderName | 'all',
  connect: (provider: ProviderName) => Promise<ZoneReader>,
  nowMs: number,
): Promise<readonly ZonePlan[]> {
  const zones = zonesOf(platform).filter((zone) => provider === 'all' || zone.provider === provider);
  if (zones.length === 0) throw noZone(provider);
  const plans: ZonePlan[] = [];
  for (const zone of zones) plans.push(await planZone(platform, await connect(zone.provider), zone.zone, nowMs));
  return plans;
}

function noZone(provider: ProviderName | 'all'): InputError {
  if (provider === 'all') {
    return badInput(
      'NoPolicy',
      'no traffic policy in these files uses a DNS zone',
      'add a TrafficPolicy to the files, or name those that hold one',
    );
  }
  return badInput(
    'NoPolicy',
    `no traffic policy in these files uses the provider ${provider}`,
    `add ${provider} to spec.dns.providers of a TrafficPolicy, or leave --provider out`,
  );
}

/** Reads the zone and plans; throws a SteeringError, or for bad input an InputError, when the plan must not exist. */
export async function planZone(platform: Platform, reader: ZoneReader, zone: string, nowMs: number): Promise<ZonePlan> {
  const dialect = dialects[reader.name];
  const intent = intentOf(platform, reader.name, zone, nowMs);
  const state = await reader.read(zone);
  const changes = changesOf(intent.wanted, state.records, dialect);
  const wantedKeys = new Set(intent.healthChecks.map((check) => check.key));
  const hosts = [...new Set([...intent.wanted.hosts, ...changes.registryBefore.hosts])].sort();
  const [before, after] = [dialect.interpret(state.records), dialect.interpret(intent.wanted.records)];
  const impacts = hosts.map((host) => impactOf(platform, host, before, after));
  return {
    provider: reader.name,
    zone,
    state,
    intent,
    changes,
    batches: batchesOf(intent.wanted, changes, dialect.limits),
    createHealthChecks: intent.healthChecks.filter((check) => !state.healthChecks.has(check.key)),
    deleteHealthChecks: [...state.healthChecks.keys()].filter((key) => !wantedKeys.has(key)).sort(),
    impacts,
    overGuard: impacts.flatMap((impact) => overGuardOf(intent, impact)),
    notices: [...intent.notices, ...changes.notices],
  };
}

/** True when there is nothing to do. */
export function isEmpty(plan: ZonePlan): boolean {
  const { batches, createHealthChecks, deleteHealthChecks, state } = plan;
  return batches.length + createHealthChecks.length + deleteHealthChecks.length + state.strayHealthChecks.length === 0;
}

/** A text that identifies exactly what the plans would do, and on top of which generation. */
export function checksumOf(plans: readonly ZonePlan[]): string {
  const hash = createHash('sha256');
  for (const plan of plans) {
    const steps = plan.batches.map(({ changes }) =>
      changes.map(({ action, record }) => `${action} ${formatRecord(record)}`),
    );
    const checks = [plan.createHealthChecks, plan.deleteHealthChecks, plan.state.strayHealthChecks];
    hash.update(JSON.stringify([plan.provider, plan.zone, plan.state.zoneId, steps, checks]));
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * The host, if it is over its guard. A host that no policy names any more has the strictest guard: losing its answer always
 * needs a person's approval.
 */
function overGuardOf(intent: Intent, { host, movedShare }: HostImpact): readonly OverGuard[] {
  const policy = intent.policies.find((candidate) => candidate.policy.spec.hosts.includes(host))?.policy;
  const allowedShare = policy?.spec.guard.maxTrafficShare ?? 0;
  return movedShare > allowedShare + 1e-9 ? [{ host, movedShare, allowedShare }] : [];
}
