import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { InputError } from '../../model/problem.ts';
import { messageOf, withoutUndefined } from '../../model/values.ts';
import type { ProviderName } from '../../planes/steering/dialects/dialect.ts';
import type { ZoneFile } from '../../planes/steering/import/octodns.ts';
import type { SteeringReason } from '../../planes/steering/reasons.ts';
import { printLines } from '../../runtime/print.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { writeNewFile } from './new-file.ts';

interface ImportOptions extends OutputArguments {
  readonly zone?: string;
  readonly provider: ProviderName | 'all';
  readonly out?: string;
}

/** `tideline steering import ZONEFILE FILES...`: traffic policies that say what a zone of octoDNS says. It asks and writes no zone. */
export function register(): Command {
  const command = new Command('import')
    .description('Make traffic policies of a zone that octoDNS keeps in YAML, and say what becomes of each name')
    .argument('<zonefile>', 'the YAML file of one zone')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them: whose address is whose')
    .option('--zone <name>', 'the zone (default: the name of the file without .yaml)')
    .option('--out <file>', 'write the policies to this file, which must not exist yet')
    .addOption(
      new Option('--provider <name>', 'the provider that the policies name')
        .choices(['route53', 'powerdns', 'all'])
        .default('route53'),
    );
  return addOutputOption(command).action(async (file: string, paths: string[], options: ImportOptions) => {
    const { loadPlatformOrThrow } = await import('../../platform/load.ts');
    const { importZone } = await import('../../planes/steering/import/policies.ts');
    const { renderImport } = await import('../../planes/steering/import/text.ts');
    const platform = await loadPlatformOrThrow(paths);
    const zone = (options.zone ?? basename(file).replace(/\.ya?ml$/, '')).toLowerCase().replace(/\.$/, '');
    const providers: readonly ProviderName[] =
      options.provider === 'all' ? ['route53', 'powerdns'] : [options.provider];
    const result = importZone(platform, await readZoneFile(file), { zone, providers });
    if (options.out !== undefined) await writePolicies(options.out, result.policies);
    await printResult(options.output, { lines: () => renderImport(result), value: () => result });
    if (options.output !== 'text') return;
    if (options.out === undefined) printLines(['nothing is written; --out FILE writes the policies']);
    else
      printLines([
        `written to ${options.out}; next: put it into the folder of the spec, tideline check FOLDER, tideline steering adopt HOST FOLDER`,
      ]);
  });
}

/** What a zone file may hold at most; octoDNS writes some 100 bytes for a record. */
const mostBytes = 32 << 20;

async function readZoneFile(file: string): Promise<ZoneFile> {
  const { readBounded } = await import('../../runtime/bounded-file.ts');
  const { parseZoneFile } = await import('../../planes/steering/import/octodns.ts');
  const text = await readBounded(file, mostBytes).catch((error: unknown) => {
    throw unreadable(file, messageOf(error));
  });
  try {
    return parseZoneFile(await valueOf(file, text.toString('utf8')));
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(file, messageOf(error));
  }
}

/** The value of YAML text. Its own check for keys that stand twice compares each with each, which takes minutes for a large zone. */
async function valueOf(file: string, text: string): Promise<unknown> {
  const { isMap, LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  const options = { lineCounter, uniqueKeys: false, prettyErrors: false, logLevel: 'silent' } as const;
  const document = parseDocument(text, options);
  const [error] = document.errors;
  if (error !== undefined) throw unreadable(file, error.message, lineCounter.linePos(error.pos[0]).line);
  const names = new Set<string>();
  for (const { key } of isMap(document.contents) ? document.contents.items : []) {
    const name = String(key);
    if (names.has(name)) throw unreadable(file, `the record ${name} stands there twice`);
    names.add(name);
  }
  return document.toJS();
}

function unreadable(file: string, message: string, line?: number): InputError {
  return new InputError({
    reason: 'ZoneFileUnreadable' satisfies SteeringReason,
    file,
    ...withoutUndefined({ line }),
    message,
    fix: 'name the YAML file of one zone, as the YamlProvider of octoDNS has it (not a folder of a split zone)',
  });
}

async function writePolicies(file: string, policies: readonly unknown[]): Promise<void> {
  const { Document } = await import('yaml');
  await writeNewFile(file, policies.map((policy) => new Document(policy).toString({ lineWidth: 120 })).join('---\n'));
}
