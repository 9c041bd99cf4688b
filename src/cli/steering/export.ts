import { Command } from 'commander';
import type { ExportedZone } from '../../planes/steering/export/octodns.ts';
import { badInput } from '../../planes/steering/reasons.ts';
import { printLines } from '../../runtime/print.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { writeNewFile } from './new-file.ts';

interface ExportOptions extends OutputArguments {
  readonly zone?: string;
  readonly out?: string;
}

/** `tideline steering export FILES...`: the zone of the policies as octoDNS reads it. It asks and writes no zone. */
export function register(): Command {
  const command = new Command('export')
    .description(
      'Write what traffic policies say as a zone of octoDNS, for DNS providers that Tideline does not write itself',
    )
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .option('--zone <name>', 'this zone only; needed for --out when the policies have several')
    .option('--out <file>', 'write the zone to this file, which must not exist yet');
  return addOutputOption(command).action(async (paths: string[], options: ExportOptions) => {
    const { loadPlatformOrThrow } = await import('../../platform/load.ts');
    const { exportZones } = await import('../../planes/steering/export/octodns.ts');
    const { renderExport } = await import('../../planes/steering/export/text.ts');
    const all = exportZones(await loadPlatformOrThrow(paths), Date.now());
    const zones = chosen(all, options.zone);
    if (options.out !== undefined) await writeZone(options.out, zones);
    await printResult(options.output, { lines: () => renderExport(zones), value: () => zones });
    if (options.output !== 'text') return;
    printLines([
      options.out === undefined
        ? 'nothing is written; --out FILE writes the zone as octoDNS reads it'
        : `written to ${options.out}; next: put the records into your zone file of octoDNS, octodns-sync shows what it would do`,
    ]);
  });
}

function chosen(zones: readonly ExportedZone[], name: string | undefined): readonly ExportedZone[] {
  const wanted = name?.toLowerCase().replace(/\.$/, '');
  const found = zones.filter(({ zone }) => wanted === undefined || zone === wanted);
  if (found.length > 0) return found;
  const there = zones.map(({ zone }) => zone).join(', ');
  throw badInput(
    'NoPolicy',
    wanted === undefined ? 'no traffic policy in these files' : `no traffic policy has the zone ${wanted}`,
    there === '' ? 'name the files or folders with the policies' : `use --zone with one of: ${there}`,
  );
}

async function writeZone(file: string, zones: readonly ExportedZone[]): Promise<void> {
  const [only, ...others] = zones;
  if (only === undefined) return;
  if (others.length > 0)
    throw badInput(
      'FileNotWritten',
      `--out: a file of octoDNS holds one zone, and the policies have ${zones.length}`,
      `use --zone with one of: ${zones.map(({ zone }) => zone).join(', ')}`,
    );
  const { stringify } = await import('yaml');
  await writeNewFile(file, stringify(only.records, { lineWidth: 120, aliasDuplicateObjects: false }));
}
