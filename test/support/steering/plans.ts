import type { Platform } from '../../../src/model/spec/platform.ts';
import type { Entry } from '../../../src/planes/steering/compile/entries.ts';
import { type Verification, Verifier } from '../../../src/planes/steering/compile/verify.ts';
import type { Compiled, Dialect } from '../../../src/planes/steering/dialects/dialect.ts';
import { type Asked, planStep, type ZonePlan } from '../../../src/planes/steering/plan/plan.ts';
import type { ZoneReader } from '../../../src/planes/steering/providers/provider.ts';
import { everything } from '../../../src/planes/steering/records/scope.ts';

/** Plans a zone as the policies want it. */
export function planZone(
  platform: Platform,
  reader: ZoneReader,
  zone: string,
  nowMs: number,
  asked: Asked = {},
): Promise<ZonePlan> {
  return planStep(platform, reader, { zone, purpose: everything }, nowMs, asked);
}

/** Verifies the records of one policy alone. */
export function verify(
  dialect: Dialect,
  compiled: Compiled,
  hosts: readonly string[],
  entries: readonly Entry[],
): Verification {
  return new Verifier(dialect.interpret(compiled.records)).verify(compiled, hosts, entries);
}
