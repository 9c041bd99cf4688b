import { type Command, Option } from 'commander';
import { InputError, type Problem, problemLines } from '../model/problem.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { LoadResult } from '../platform/load.ts';
import { agents } from '../preflight/agents.ts';
import { printErrorLines, printJson, printLines } from '../runtime/print.ts';

interface CheckArguments {
  readonly output: 'text' | 'json';
  readonly cluster?: string | true;
}

/** `tideline check FILE...`: validates the platform spec; with `--cluster` it examines a cluster instead. */
export function register(program: Command): void {
  program
    .command('check')
    .description('Validate the platform spec in files and folders, or look what a cluster misses')
    .argument('[path...]', 'YAML or JSON files, or folders of them')
    .addOption(new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .option('--cluster [name]', 'look at this Cluster of the spec, as an agent would; writes nothing')
    .option('--kubeconfig <file>', 'with --cluster: read it by this kubeconfig instead of its source')
    .option('--context <name>', 'with --cluster: context of the kubeconfig')
    .addOption(new Option('--as <agent>', 'whose needs').choices([...agents, 'all']).default('all'))
    .addOption(
      new Option('--pods-from <source>', "where the network agents take the pods' prefixes from")
        .choices(['calico', 'podCIDRs'])
        .default('calico'),
    )
    .addHelpText(
      'after',
      `
Exit code 0: valid (warnings do not count), 2: not valid. Reasons: docs/reference/errors.md
With --cluster 0: nothing is missing, 1: something is, 2: bad input. Reasons: docs/reference/check-cluster.md`,
    )
    .action(run);
}

async function run(paths: string[], options: CheckArguments, command: Command): Promise<void> {
  if (options.cluster !== undefined) {
    const { checkCluster } = await import('./check/cluster.ts');
    process.exitCode = await checkCluster(paths, command.opts());
    return;
  }
  const stray = ['kubeconfig', 'context', 'as', 'podsFrom'].filter(
    (name) => command.getOptionValueSource(name) === 'cli',
  );
  if (stray.length > 0)
    throw new InputError({
      reason: 'OptionAlone',
      message: `--${stray[0] === 'podsFrom' ? 'pods-from' : stray[0]} goes with --cluster`,
      fix: 'name a cluster with --cluster, or leave it out',
    });
  if (paths.length === 0) command.error("error: missing required argument 'path'", { exitCode: 2 });
  const { loadPlatform } = await import('../platform/load.ts');
  const result = await loadPlatform(paths);
  const good = 'platform' in result;
  if (options.output === 'json') printJson(jsonOf(result));
  else (good ? printLines : printErrorLines)(textOf(result));
  if (!good) process.exitCode = 2;
}

/** For people: the lines of problems, then of warnings, then one that sums up. */
export function textOf(result: LoadResult): readonly string[] {
  const problems = 'problems' in result ? result.problems : [];
  return [
    ...problems.flatMap(problemLines),
    ...result.warnings.flatMap((warning) => {
      const [first = '', ...rest] = problemLines(warning);
      return [`warning: ${first}`, ...rest];
    }),
    'platform' in result ? `ok: ${countText(result.platform)}` : sumUp(problems),
  ];
}

/** For programs: `{ ok, counts?, problems, warnings }`. */
export function jsonOf(result: LoadResult): object {
  const { warnings } = result;
  return 'platform' in result
    ? { ok: true, counts: countsOf(result.platform), problems: [], warnings }
    : { ok: false, problems: result.problems, warnings };
}

function countsOf(platform: Platform) {
  return {
    sites: platform.sites.size,
    clusters: platform.clusters.size,
    edgePools: platform.edgePools.size,
    policies: platform.policies.size,
    drains: platform.drains.size,
  };
}

function countText(platform: Platform): string {
  const counts = countsOf(platform);
  return [
    plural(counts.sites, 'site'),
    plural(counts.clusters, 'cluster'),
    plural(counts.edgePools, 'edge pool'),
    plural(counts.policies, 'traffic policy', 'traffic policies'),
    plural(counts.drains, 'drain'),
  ].join(', ');
}

function sumUp(problems: readonly Problem[]): string {
  const files = new Set(problems.map((problem) => problem.file)).size;
  return `${plural(problems.length, 'problem')} in ${plural(files, 'file')}`;
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
