import type { CompiledFleet } from '../../planes/fleet/compile/compile.ts';
import type { FleetPlan } from '../../planes/fleet/plan.ts';
import type { KnownRun } from '../../planes/fleet/run/journal.ts';
import type { LockOwner } from '../../planes/fleet/run/lock.ts';
import type { Run } from '../../planes/fleet/run/steps.ts';
import { compileInto } from './compiled.ts';
import { apisIn } from './world.ts';

/** What an apply would do now. */
export interface Prepared {
  readonly compiled: CompiledFleet;
  readonly plan: FleetPlan;
  readonly run: Run;
  /** Clusters whose etcd or API server would get another version, which only an upgrade brings. */
  readonly upgraded: readonly string[];
  /** Servers whose documents stay and that have not got them yet. */
  readonly pending: readonly string[];
  /** Who runs something in this folder now. */
  readonly owner: LockOwner | undefined;
  /** Runs of this folder, the newest first. */
  readonly runs: readonly KnownRun[];
}

/** Compiles the spec and compares it with the folder of documents and with what servers got. `all` takes every server. */
export async function prepare(paths: readonly string[], folder: string, all: boolean): Promise<Prepared> {
  const { checksumOf, readDocuments } = await import('../../planes/fleet/folder.ts');
  const { planFleet } = await import('../../planes/fleet/plan.ts');
  const { known, pendingOf, readApplied } = await import('../../planes/fleet/run/applied.ts');
  const { readRuns } = await import('../../planes/fleet/run/journal.ts');
  const { lockOwner } = await import('../../planes/fleet/run/lock.ts');
  const { processesHere } = await import('../../planes/fleet/run/processes.ts');
  const { applyRun } = await import('../../planes/fleet/run/procedures/apply.ts');
  const { upgradedIn } = await import('../../planes/fleet/run/procedures/upgrade.ts');
  const { feltBy } = await import('../../planes/fleet/run/procedures/felt.ts');
  const { sealed } = await import('../../planes/fleet/run/seal.ts');
  const written = await readDocuments(folder);
  const applied = await readApplied(folder);
  const before = known(applied, written);
  const compiled = await compileInto(folder, paths);
  const { pending, fresh } = pendingOf(applied, compiled.documents);
  const plan = planFleet(before, compiled, all ? new Set(compiled.documents.keys()) : pending);
  const runs = await readRuns(folder);
  const finished = runs.find(({ state }) => state === 'finished');
  const changed = new Set(plan.changes.map(({ server }) => server));
  const felt = feltBy(changed, before, compiled.documents);
  const planned = applyRun(plan, compiled, {
    fresh,
    felt: new Set([...felt, ...pending]),
    apis: await apisIn(paths),
  });
  const upgraded = upgradedIn(before, compiled.documents);
  return {
    compiled,
    plan,
    run: sealed(
      { ...planned, warnings: [...planned.warnings, ...upgraded.map(upgradeWarning)] },
      checksumOf(compiled),
      finished?.id,
    ),
    upgraded,
    pending: [...pending].filter((server) => !changed.has(server)),
    owner: await lockOwner(folder, processesHere),
    runs,
  };
}

const upgradeWarning = (cluster: string): string =>
  `etcd or the API server of ${cluster} gets another version: only tideline fleet upgrade ${cluster} does that, and apply refuses`;
