import type { Command } from 'commander';
import type { Platform } from '../../model/spec/platform.ts';
import type { Down } from '../../observe/why/suppose.ts';
import type { Failure } from '../../planes/scaling/compile/failures.ts';
import { addDownOption } from '../down.ts';
import { printResult } from '../output.ts';
import { addAtOption } from './history.ts';
import { addOfflineOption, addWorldOptions, readWorld, type WorldArguments } from './world.ts';

interface ProveArguments extends WorldArguments {
  readonly if: readonly Down[];
}

/** `tideline scaling prove FILES...`: whether every request would find a place in every single failure. */
export function register(scaling: Command): void {
  const command = scaling
    .command('prove')
    .description(
      'Say for each single failure whether every request would find a place, from which second on, and what is missing',
    )
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addDownOption(command, ['Site', 'Cluster']);
  addAtOption(addOfflineOption(addWorldOptions(command)))
    .addHelpText(
      'after',
      `
Proven are all single failures, and those that targets are to survive together; with --if one failure, of all that is named. A floor
counts as held where the Cluster has no kubeconfig, and with --offline; a cluster that does not answer fails.
Exit code 0: every request finds a place in each of them, 1: not, 2: bad input.`,
    )
    .action(run);
}

async function run(paths: string[], options: ProveArguments): Promise<void> {
  const { nothing } = await import('../../planes/scaling/compile/failures.ts');
  const { floorsOf, rememberedArriving } = await import('../../planes/scaling/compile/floors.ts');
  const { proveFailure } = await import('../../planes/scaling/compile/prove.ts');
  const { proofFindings } = await import('../../planes/scaling/findings.ts');
  const { demandLine, findingLines, proofLine } = await import('../../planes/scaling/text.ts');
  const { world, findings: read, observed, nowMs } = await readWorld(paths, options);
  const arriving = rememberedArriving(world);
  const held = { world, arriving, floors: floorsOf(world, arriving), observed };
  const failures = await failuresOf(world.platform, options.if);
  const proofs = failures.map((failure) => proveFailure(held, failure));
  const seconds = await dnsSecondsOf(world.platform);
  await printResult(options.output, {
    lines: () => [
      demandLine(world, arriving(nothing), nowMs),
      ...proofs.flatMap((proof) => [proofLine(proof, seconds), ...findingLines(proofFindings(proof))]),
      ...findingLines(read),
    ],
    value: () => ({
      dnsSeconds: seconds,
      proofs: proofs.map((proof) => ({ ...proof, findings: proofFindings(proof) })),
      findings: read,
    }),
  });
  if (proofs.some(({ shortages }) => shortages.length > 0)) process.exitCode = 1;
}

async function failuresOf(platform: Platform, downs: readonly Down[]): Promise<readonly Failure[]> {
  const { allFailures, lossOf, nothing } = await import('../../planes/scaling/compile/failures.ts');
  if (downs.length === 0) return [nothing, ...allFailures(platform)];
  const { clustersDown } = await import('../steering/clusters-down.ts');
  clustersDown(platform, downs);
  const named = (wanted: Down['kind']): string[] => downs.flatMap(({ kind, name }) => (kind === wanted ? [name] : []));
  const text = downs.map(({ kind, name }) => `${kind.toLowerCase()} ${name}`).join(' and ');
  return [lossOf(text, platform, named('Site'), named('Cluster'))];
}

/** How long users may be led to a lost cluster: that of the slowest policy and provider. */
async function dnsSecondsOf(platform: Platform): Promise<number> {
  const { dialects } = await import('../../planes/steering/dialects/table.ts');
  const { entriesOf } = await import('../../planes/steering/compile/entries.ts');
  const { recoveriesOf } = await import('../../planes/steering/compile/recovery.ts');
  const all = [...platform.policies.values()].flatMap((policy) =>
    policy.spec.dns.providers.flatMap((provider) =>
      recoveriesOf(dialects[provider], policy, entriesOf(platform, policy)),
    ),
  );
  return Math.max(0, ...all.map(({ totalSeconds }) => totalSeconds));
}
