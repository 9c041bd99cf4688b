import { type Command, InvalidArgumentError } from 'commander';
import { InputError } from '../../model/problem.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { personHere } from '../person.ts';
import type { SafeOptions } from './provide.ts';

interface KubeconfigArguments extends OutputArguments, SafeOptions {
  readonly out: string;
  readonly group: string;
  readonly hours: number;
}

const mostHours = 24 * 7;

/** `tideline fleet kubeconfig CLUSTER FOLDER --authorities SAFE --out FILE`: signs a person of the authority's own. */
export function register(fleet: Command): void {
  const command = fleet
    .command('kubeconfig')
    .description('Write a kubeconfig for a few hours, signed by the authority of a cluster of the fleet')
    .argument('<cluster>', 'name of the cluster')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .requiredOption('--authorities <folder>', 'the authorities, CLUSTER/PURPOSE.crt and .key; it belongs on no server')
    .requiredOption('--passphrase-file <file>', 'the passphrase of the keys of the authorities, on its first line')
    .requiredOption('--out <file>', 'where it is written, for its owner alone; an older one is replaced')
    .option('--create-authorities', 'make the authorities that are not there; only at the start of a cluster')
    .option('--group <name>', 'the group that the API knows the person by', 'system:masters')
    .option('--hours <number>', 'how long it may be used', parseHours, 8);
  addOutputOption(command)
    .addHelpText(
      'after',
      `
The API need not run yet. A run that writes the objects of a cluster may do everything there (system:masters); for one that only drains servers and
judges them --group tideline:fleet is enough. Nothing takes a certificate back before its end. docs/operations/fleet.md`,
    )
    .action(run);
}

async function run(cluster: string, paths: string[], options: KubeconfigArguments): Promise<void> {
  const { loadPlatformOrThrow } = await import('../../platform/load.ts');
  const { openAuthorities, readPassphrase } = await import('../../planes/fleet/pki/authorities.ts');
  const { apiUrlOf } = await import('../../planes/fleet/compile/context.ts');
  const { operatorKubeconfig } = await import('../../planes/fleet/pki/operator.ts');
  const { replaceFile } = await import('../../runtime/kept-file.ts');
  const { compilePaths } = await import('./compiled.ts');
  const { authorityNames, makeAuthorities, noAuthority } = await import('./provide.ts');
  const { fleets } = await loadPlatformOrThrow(paths);
  const fleet = [...fleets.values()].find(({ spec }) => spec.cluster === cluster);
  if (fleet === undefined)
    throw new InputError({
      reason: 'ServerUnknown',
      message: `no Fleet makes the Cluster ${cluster}`,
      fix: 'correct the name',
    });
  const nowMs = Date.now();
  const passphrase = await readPassphrase(options.passphraseFile);
  const name = `${cluster}/kubernetes`;
  const own = authorityNames(await compilePaths(paths)).filter((one) => one.startsWith(`${cluster}/`));
  const made =
    options.createAuthorities === true ? await makeAuthorities(options, [...new Set([...own, name])], passphrase) : [];
  const authority = (await openAuthorities(options.authorities, [name], passphrase, nowMs)).get(name);
  if (authority === undefined) throw noAuthority(options.authorities, name);
  const untilMs = nowMs + options.hours * 3_600_000;
  // Clocks of servers may be behind.
  const person = { name: personHere(), group: options.group, fromMs: nowMs - 300_000, untilMs };
  await replaceFile(options.out, operatorKubeconfig(cluster, apiUrlOf(fleet.spec), authority, person));
  await printResult(options.output, {
    lines: () => [
      ...made.map((one) => `made the authority ${one}`),
      `wrote ${options.out}: ${person.name} of ${options.group}, until ${new Date(untilMs).toISOString()}`,
    ],
    value: () => ({
      authorities: made,
      file: options.out,
      name: person.name,
      group: options.group,
      until: new Date(untilMs).toISOString(),
    }),
  });
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (!/^\d+$/.test(text) || hours < 1 || hours > mostHours)
    throw new InvalidArgumentError(`Expected a number of hours from 1 to ${mostHours}.`);
  return hours;
}
