import { relative } from 'node:path';
import { labCommand } from './state.ts';
import type { World } from './world/topology.ts';

export interface Ready {
  readonly stateFolder: string;
  readonly platformFolder: string;
  readonly world: Pick<World, 'datacentres' | 'users'>;
  /** Whether a Prometheus watches the alerts. */
  readonly alerts: boolean;
  /** Where the steering agent answers; undefined where there is none. */
  readonly steering?: string | undefined;
}

/** What a person who started a lab may do with it next: commands for another terminal, each with what it is for (pure). */
export function readyLines({ stateFolder, platformFolder, world, alerts, steering }: Ready): readonly string[] {
  const platform = shorter(platformFolder);
  const command = (...words: readonly string[]): string => labCommand(words, stateFolder);
  const inside = (...words: readonly string[]): string => command('exec', '--', 'tideline', ...words, platform);
  const blade = world.datacentres[0]?.blades[0]?.name;
  const country = world.users[0]?.clients[0]?.country;
  const rows = [
    [command('status'), alerts ? 'sessions, routes, users, alerts that fire' : 'sessions, routes, users'],
    ...(blade === undefined
      ? []
      : [[command('fault', 'blade-killed', blade), 'make trouble; --help lists all faults']]),
    [`${inside('status')}${steering === undefined ? '' : ` --steering ${steering}`}`, 'what the operator sees of it'],
    ...(country === undefined
      ? []
      : [[inside('why', 'country', country), 'why these users are served where they are']]),
    [command('heal'), 'end the trouble'],
    [command('down'), 'end the lab, as Ctrl-C does here'],
  ] as const;
  const widest = Math.max(...rows.map(([words]) => words?.length ?? 0));
  return [
    'ready; in another terminal:',
    ...rows.map(([words = '', what = '']) => `  ${words.padEnd(widest)}  # ${what}`),
    alerts
      ? 'Prometheus watches the alerts; it answers inside the lab, on port 9090 of the machine of the operator'
      : 'nobody watches the alerts: start the lab with --alerts for a Prometheus that does',
  ];
}

/** The folder as it is named from here, where that is shorter. */
function shorter(folder: string): string {
  const fromHere = relative(process.cwd(), folder);
  return fromHere.length < folder.length && !fromHere.startsWith('..') ? fromHere : folder;
}
