import { Command, Option } from 'commander';
import { InputError } from '../../model/problem.ts';
import type { ProviderName } from '../../planes/steering/dialects/dialect.ts';
import { providers } from '../../planes/steering/providers/table.ts';
import { printLines } from '../../runtime/print.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { showProgress } from '../progress.ts';
import { connectReader, urlOption } from './connect.ts';
import type { FoundZone } from './import-sources.ts';
import { writeNewFile } from './new-file.ts';

interface ImportOptions extends OutputArguments {
  readonly zone?: string;
  readonly format?: 'octodns' | 'bind';
  readonly route53Zone?: string;
  readonly provider: ProviderName | 'all';
  readonly out?: string;
  /** The address of the API of Route 53, under the name of its option. */
  readonly [option: string]: unknown;
}

/**
 * `tideline steering import`: traffic policies that say what a zone of another tool says. It writes no zone. It exits with 1 when a
 * name is refused, or nothing becomes a policy.
 */
export function register(): Command {
  const command = new Command('import')
    .description('Make traffic policies of a zone of octoDNS, BIND or Route 53, and say what becomes of each name')
    .argument(
      '<path...>',
      'the file of one zone (not with --route53-zone), then files of the platform spec, or folders of them',
    )
    .addOption(
      new Option(
        '--format <format>',
        'of the file (default: octodns when it ends in .yaml or .yml, else bind)',
      ).choices(['octodns', 'bind']),
    )
    .option(
      '--zone <name>',
      'the zone of the file (default: of octoDNS its name without .yaml, of BIND that of the SOA)',
    )
    .option('--route53-zone <name>', 'read this zone of Route 53 as it is now, instead of a file')
    .addOption(urlOption(providers.route53.url))
    .option(
      '--out <file>',
      'write the policies to this file, which must not exist yet; without a policy nothing is written',
    )
    .addOption(
      new Option('--provider <name>', 'the provider that the policies name')
        .choices(['route53', 'powerdns', 'all'])
        .default('route53'),
    );
  command.addHelpText(
    'after',
    '\nExits with 1 when a name is refused, also where others become policies, and when there is no policy at all.',
  );
  return addOutputOption(command).action(run);
}

async function run(words: readonly string[], options: ImportOptions): Promise<void> {
  const { loadPlatformOrThrow } = await import('../../platform/load.ts');
  const { importZone } = await import('../../planes/steering/import/policies.ts');
  const { renderImport } = await import('../../planes/steering/import/text.ts');
  const [zonefile = '', ...rest] = words;
  const paths = options.route53Zone === undefined ? rest : words;
  if (paths.length === 0)
    throw new InputError({
      reason: 'OptionMissing',
      message: 'the platform spec is missing, whose Clusters say whose address is whose',
      fix: 'tideline steering import ZONEFILE FOLDER',
    });
  const platform = await loadPlatformOrThrow(paths);
  const { zone, file } = await foundZone(zonefile, options);
  const named: readonly ProviderName[] = options.provider === 'all' ? ['route53', 'powerdns'] : [options.provider];
  const result = importZone(platform, file, { zone, providers: named });
  const refused = result.findings.filter(({ outcome }) => outcome === 'refused');
  const isNothing = result.policies.length === 0;
  if (options.out !== undefined && !isNothing) await writePolicies(options.out, result.policies);
  await printResult(options.output, { lines: () => renderImport(result), value: () => result });
  if (isNothing || refused.length > 0) process.exitCode = 1;
  if (options.output !== 'text') return;
  if (isNothing) {
    const why =
      refused.length > 0 ? 'the reason stands behind each name' : `no name of ${zone} has a record of addresses`;
    const file = options.out === undefined ? '' : `, ${options.out} is not written`;
    printLines([`nothing can be imported${file}: ${why}`]);
  } else if (options.out === undefined) printLines(['nothing is written; --out FILE writes the policies']);
  else
    printLines([
      `written to ${options.out}; next: put it into the folder of the spec, tideline check FOLDER, tideline steering adopt HOST FOLDER`,
    ]);
}

async function foundZone(zonefile: string, options: ImportOptions): Promise<FoundZone> {
  const { cleanZone, zoneOfMaster, zoneOfYaml } = await import('./import-sources.ts');
  const { zone, format, route53Zone } = options;
  if (route53Zone === undefined) {
    const isYaml = format === undefined ? /\.ya?ml$/.test(zonefile) : format === 'octodns';
    return isYaml ? zoneOfYaml(zonefile, zone) : zoneOfMaster(zonefile, zone);
  }
  const { zoneOfRecords } = await import('../../planes/steering/import/records.ts');
  const name = cleanZone(route53Zone);
  const progress = showProgress();
  const reader = await connectReader('route53', options, progress);
  const { records } = await reader.read(name).finally(progress.end);
  return { zone: name, file: zoneOfRecords(name, records) };
}

async function writePolicies(file: string, policies: readonly unknown[]): Promise<void> {
  const { Document } = await import('yaml');
  await writeNewFile(file, policies.map((policy) => new Document(policy).toString({ lineWidth: 120 })).join('---\n'));
}
