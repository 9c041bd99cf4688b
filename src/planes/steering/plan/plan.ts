import { createHash } from 'node:crypto';
import type { Platform } from '../../../model/spec/platform.ts';
import type { ProviderName, ZoneReader, ZoneState } from '../providers/provider.ts';
import type { SteeringNotice } from '../reasons.ts';
import { type Batch, batchesOf } from '../records/batches.ts';
import { type Changes, changesOf } from '../records/changes.ts';
import { type Intent, intentOf } from '../records/intent.ts';
import { formatRecord, type HealthCheck } from '../records/record.ts';
import { type HostImpact, impactOf } from './impact.ts';

/** What would be done in one zone of one provider. Nothing in it depends on the time or on chance. */
export interface ZonePlan {
  readonly provider: ProviderName;
  readonly zone: string;
  readonly state: ZoneState;
  readonly intent: Intent;
  readonly changes: Changes;
  readonly batches: readonly Batch[];
  readonly createHealthChecks: readonly HealthCheck[];
  /** Keys of checks of ours that nothing wanted uses. */
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

/** Reads the zone and plans; throws a SteeringError when the plan must not exist. */
export async function planZone(platform: Platform, reader: ZoneReader, zone: string, nowMs: number): Promise<ZonePlan> {
  const intent = intentOf(platform, reader.name, zone, nowMs);
  const state = await reader.read(zone);
  const changes = changesOf(intent.wanted, state.records);
  const wantedKeys = new Set(intent.healthChecks.map((check) => check.key));
  const hosts = [...new Set([...intent.wanted.hosts, ...changes.registryBefore.hosts])].sort();
  const impacts = hosts.map((host) => impactOf(platform, host, state.records, intent.wanted.records));
  return {
    provider: reader.name,
    zone,
    state,
    intent,
    changes,
    batches: batchesOf(intent.wanted, changes),
    createHealthChecks: intent.healthChecks.filter((check) => !state.healthChecks.has(check.key)),
    deleteHealthChecks: [...state.healthChecks.keys()].filter((key) => !wantedKeys.has(key)).sort(),
    impacts,
    overGuard: impacts.flatMap((impact) => guard(intent, impact)),
    notices: [...intent.notices, ...changes.notices],
  };
}

/** True when there is nothing to do. */
export function isEmpty(plan: ZonePlan): boolean {
  const { batches, createHealthChecks, deleteHealthChecks, state } = plan;
  return batches.length + createHealthChecks.length + deleteHealthChecks.length + state.strayHealthChecks.length === 0;
}

/** Names exactly what the plans would do, and on top of which generation. */
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

/** A host that no policy answers for any more falls under the strictest guard: losing its answer always needs a person. */
function guard(intent: Intent, { host, movedShare }: HostImpact): readonly OverGuard[] {
  const policy = intent.policies.find((candidate) => candidate.policy.spec.hosts.includes(host))?.policy;
  const allowedShare = policy?.spec.guard.maxTrafficShare ?? 0;
  return movedShare > allowedShare + 1e-9 ? [{ host, movedShare, allowedShare }] : [];
}
