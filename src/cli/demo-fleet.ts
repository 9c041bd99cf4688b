import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FleetPrograms } from '../../lab/fleet-demo/world.ts';
import { InputError } from '../model/problem.ts';
import { printErrorLines } from '../runtime/print.ts';

/** `tideline demo --fleet`: bare servers become a cluster, and a scenario is played on it. */
export interface FleetDemoArguments {
  readonly once?: true;
  readonly kubernetes?: true;
  readonly steering?: string;
  readonly report: string;
  readonly state: string;
}

/** What is built beforehand. Throws an InputError that says how, also for options that do not go together and for who is not root. */
export async function fleetPrograms(
  options: FleetDemoArguments,
  root = process.geteuid?.() === 0,
): Promise<FleetPrograms> {
  const others = (['kubernetes', 'steering'] as const).filter((name) => options[name] !== undefined);
  if (others.length > 0)
    throw new InputError({
      reason: 'OptionsTogether',
      message: `--fleet is a demo of its own and does not go with --${others.join(' and --')}`,
      fix: 'leave one of them out',
    });
  if (!root)
    throw new InputError({
      reason: 'NotRoot',
      message: 'servers of a fleet have disks and control groups of their own, which only root can make',
      fix: 'run it as root',
    });
  const [{ findBinaries }, { findNodePrograms }, { findRoot }, { findSalt }] = await Promise.all([
    import('../../lab/control-plane/binaries.ts'),
    import('../../lab/servers/programs.ts'),
    import('../../lab/servers/root.ts'),
    import('../../tools/salt/installation.ts'),
  ]);
  const [filesystem, programs, binaries, salt] = await Promise.all([
    findRoot(process.env),
    findNodePrograms(process.env),
    findBinaries(process.env),
    findSalt(process.env),
  ]);
  return { root: filesystem, programs, binaries, salt: salt.folder };
}

/** The folder of the servers' disks. */
export const fleetFolder = (state: string): string => join(state, 'fleet');

/** Called inside the box. */
export async function demoFleet(options: FleetDemoArguments, ended: string): Promise<never> {
  const [{ interrupted, runFleetDemo }, { systemClock }] = await Promise.all([
    import('../../lab/fleet-demo/run.ts'),
    import('../runtime/clock.ts'),
  ]);
  await rm(options.report, { force: true });
  const code = await runFleetDemo({
    ...(await fleetPrograms(options)),
    stateFolder: options.state,
    folder: fleetFolder(options.state),
    reportFile: options.report,
    node: process.execPath,
    clock: systemClock,
    ...(options.once !== true && process.stdin.isTTY ? { terminal: process.stdin } : {}),
  });
  if (code === interrupted) printErrorLines([ended]);
  process.exit(code);
}
