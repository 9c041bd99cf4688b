import { type Command, InvalidArgumentError, Option } from 'commander';
import { InputError, problemList } from '../../model/problem.ts';
import type { FoundField, FoundServer } from '../../planes/fleet/import/found.ts';
import { printErrorLines, printLines } from '../../runtime/print.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { showProgress } from '../progress.ts';

interface ImportArguments extends OutputArguments {
  readonly csv?: string;
  readonly grains?: string;
  readonly netbox?: string;
  readonly tokenFile?: string;
  readonly filter: readonly (readonly [string, string])[];
  readonly field: readonly string[];
  readonly role: readonly string[];
  readonly status: readonly string[];
  readonly site: readonly string[];
  readonly class: readonly string[];
  readonly cluster: readonly string[];
  readonly out?: string;
}

/** `tideline fleet import FOLDER…`: Servers of what another tool knows of machines. It changes no file that is there. */
export function register(fleet: Command): void {
  const command = fleet
    .command('import')
    .description('Make Servers of a CSV file, of grains of Salt or of NetBox, and say what becomes of each machine')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them: its Sites and Clusters count')
    .addOption(
      new Option('--csv <file>', 'a list with the names of its columns in the first line').conflicts([
        'grains',
        'netbox',
      ]),
    )
    .addOption(
      new Option('--grains <file>', "what `salt '*' grains.items --out=json --static` printed").conflicts('netbox'),
    )
    .addOption(new Option('--netbox <url>', 'NetBox, of which the devices are read').argParser(parseUrl))
    .option('--token-file <file>', 'the API token of NetBox, on the first line (default: NETBOX_TOKEN)');
  const pairs: readonly (readonly [string, string])[] = [
    ['--field <field=place>', 'where the source has a field: a column, a grain, a path such as custom_fields.rack'],
    ['--role <text=role>', 'what a role of the source means: etcd, etcd+control-plane, nothing for a spare, or leave'],
    ['--status <text=state>', 'what a status of the source means: active, retired or leave'],
    ['--site <text=site>', 'which Site a place of the source is'],
    ['--class <text=class>', 'which ServerClass a model of the source is'],
    ['--cluster <text=cluster>', 'which Cluster a text of the source is'],
  ];
  for (const [flags, what] of pairs) command.option(flags, `${what}; may be given again`, collect, []);
  command
    .option(
      '--filter <key=value>',
      "only devices that this filter of NetBox's API gives; may be given again",
      addPair,
      [],
    )
    .option('--out <folder>', 'write the new Servers and their classes there, into files that do not exist yet');
  addOutputOption(command)
    .addHelpText(
      'after',
      `
A server that the spec has already is compared and stays as it is. Exits with 1 when a machine is refused. What a source is expected to look
like, and what is in doubt: docs/operations/fleet.md
Environment: NETBOX_TOKEN`,
    )
    .action(run);
}

async function run(paths: string[], options: ImportArguments): Promise<void> {
  const { loadPlatformOrThrow } = await import('../../platform/load.ts');
  const { fieldsOf, mappingOf } = await import('../../planes/fleet/import/mapping.ts');
  const { importServers } = await import('../../planes/fleet/import/servers.ts');
  const { filesOf, renderServerImport } = await import('../../planes/fleet/import/text.ts');
  const mapping = mappingOf(options);
  const named = fieldsOf(options.field);
  const platform = await loadPlatformOrThrow(paths);
  const result = importServers(platform, await foundBy(options, named), mapping);
  const files = filesOf(result);
  if (options.out !== undefined) {
    const { writeNewFiles } = await import('../../planes/fleet/import/write.ts');
    await writeNewFiles(options.out, files);
  }
  await printResult(options.output, { lines: () => renderServerImport(result), value: () => result });
  if (result.findings.some(({ outcome }) => outcome === 'refused')) process.exitCode = 1;
  if (options.output !== 'text') return;
  if (files.size === 0) printLines(['nothing is new, so nothing is written']);
  else if (options.out === undefined) printLines(['nothing is written; --out FOLDER writes the new ones']);
  else await sayWritten(paths, options.out, [...files.keys()]);
}

/** The spec together with what was written, because a server may lack its place in an EdgePool, or a cluster a member of etcd. */
async function sayWritten(paths: readonly string[], out: string, files: readonly string[]): Promise<void> {
  const { loadPlatform } = await import('../../platform/load.ts');
  printLines([`written to ${out}: ${files.join(', ')}`]);
  const together = await loadPlatform([...paths, out]);
  if (!('problems' in together)) return;
  printLines(['together with the spec there are problems yet:', ...problemList(together.problems)]);
}

async function foundBy(
  options: ImportArguments,
  named: ReadonlyMap<FoundField, readonly string[]>,
): Promise<readonly FoundServer[]> {
  const { withPlaces } = await import('../../planes/fleet/import/found.ts');
  const { csv, grains, netbox } = options;
  if (csv !== undefined) {
    const { csvPlaces, foundInCsv } = await import('../../planes/fleet/import/csv.ts');
    return foundInCsv(await textOf(csv, '--csv'), csv, withPlaces(csvPlaces, named));
  }
  if (grains !== undefined) {
    const { foundInGrains, grainPlaces } = await import('../../planes/fleet/import/grains.ts');
    return foundInGrains(await textOf(grains, '--grains'), grains, withPlaces(grainPlaces, named));
  }
  if (netbox === undefined)
    throw new InputError({
      reason: 'OptionMissing',
      message: 'no source of machines is named',
      fix: 'give --csv FILE, --grains FILE or --netbox URL',
    });
  const { foundInNetbox, netboxPlaces } = await import('../../planes/fleet/import/netbox.ts');
  const { tokenFile, filter: filters } = options;
  const token = (tokenFile === undefined ? process.env['NETBOX_TOKEN'] : await textOf(tokenFile, '--token-file')) ?? '';
  const [first = ''] = token.split('\n');
  if (!/^[\x21-\x7e]+$/.test(first.trim()))
    throw new InputError({
      reason: 'OptionMissing',
      message: 'there is no API token of NetBox',
      fix: 'put one that may read devices into NETBOX_TOKEN, or on the first line of a file and name it by --token-file',
    });
  if (netbox.startsWith('http:') && !/^http:\/\/(localhost|127\.|\[::1\])/.test(netbox))
    printErrorLines(['warning: --netbox is a plain http address: whoever is on the way reads the token']);
  const progress = showProgress();
  const reading = foundInNetbox(
    { url: netbox, token: first.trim(), filters, onProgress: progress.trouble },
    withPlaces(netboxPlaces, named),
  );
  return reading.finally(progress.end);
}

async function textOf(file: string, option: string): Promise<string> {
  const { readSource } = await import('../../planes/fleet/import/write.ts');
  return readSource(file, option);
}

const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text];

function addPair(text: string, before: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected KEY=VALUE, e.g. role=server.');
  return [...before, [text.slice(0, at), text.slice(at + 1)]];
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '') return text;
  throw new InvalidArgumentError('Expected an address such as https://netbox.example.net, without a password in it.');
}
