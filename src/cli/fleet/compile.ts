import type { Command } from 'commander';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { compileInto, signerOf } from './compiled.ts';
import { holding } from './holding.ts';

interface CompileArguments extends OutputArguments {
  readonly out: string;
  readonly signingKey?: string;
}

/** `tideline fleet compile FOLDER… --out DIR`: writes the documents of servers. */
export function register(fleet: Command): void {
  const command = fleet
    .command('compile')
    .description('Write a document for each server, how to reach it, which certificates it gets, and the waves')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .requiredOption('--out <folder>', 'where to: a folder for these files alone')
    .option('--signing-key <file>', 'sign each document by this private key of the operator (Ed25519, PEM)');
  addOutputOption(command)
    .addHelpText(
      'after',
      `
Files are written for their owner alone (mode 0600), and only those that change. A file that an earlier run wrote and that is no
longer wanted is removed; others stay. Certificates that \`tideline fleet sign\` put there are in the documents. There is no secret in any
of them. What they are for: docs/operations/fleet.md`,
    )
    .action(run);
}

async function run(paths: string[], { out, signingKey, output }: CompileArguments): Promise<void> {
  const { checksumOf, isCompiled, writeFolder } = await import('../../planes/fleet/folder.ts');
  const compiled = await compileInto(out, paths);
  const sign = await signerOf(signingKey);
  const write = () => writeFolder(out, compiled, sign);
  const { written, removed, unchanged } = (await isCompiled(out)) ? await holding(out, write) : await write();
  const checksum = checksumOf(compiled);
  await printResult(output, {
    lines: () => [
      `${compiled.documents.size} servers`,
      ...Object.entries(compiled.gpus).flatMap(([cluster, gpus]) =>
        Object.entries(gpus).map(([product, count]) => `GPUs of ${cluster}: ${count} ${product}`),
      ),
      `${written.length} files written, ${removed.length} removed, ${unchanged} as they were`,
      `checksum of the documents: ${checksum}`,
    ],
    value: () => ({
      servers: compiled.documents.size,
      waves: compiled.waves.length,
      gpus: compiled.gpus,
      written,
      removed,
      unchanged,
      checksum,
    }),
  });
}
