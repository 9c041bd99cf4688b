import { type Command, Option } from 'commander';
import { InputError, type Problem, problemLines } from '../model/problem.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { ParityView } from '../model/steering-status.ts';
import { withoutUndefined } from '../model/values.ts';
import type { LoadResult } from '../platform/load.ts';
import { agents } from '../preflight/agents.ts';
import { printErrorLines } from '../runtime/print.ts';
import { addTlsOptions } from './options.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';
import { accessOf, type TlsArguments } from './tls.ts';

interface CheckArguments extends OutputArguments, TlsArguments {
  readonly cluster?: string | true;
  readonly hosts?: true;
}

/** `tideline check FILE...`: validates the platform spec; with `--cluster` it examines a cluster instead. */
export function register(program: Command): void {
  const check = program
    .command('check')
    .description(
      'Validate the platform spec in files and folders and say what becomes of Ingresses there, or look what a cluster misses',
    )
    .argument('[path...]', 'YAML or JSON files, or folders of them');
  addTlsOptions(addOutputOption(check))
    .option(
      '--hosts',
      'also look whether every cluster that a policy names serves its hosts, with endpoints and certificates',
    )
    .option('--cluster [name]', 'look at this Cluster of the spec, as an agent would; writes nothing')
    .option('--kubeconfig <file>', 'with --cluster: read it by this kubeconfig instead of its source')
    .option('--context <name>', 'with --cluster: context of the kubeconfig')
    .addOption(
      new Option('--as <agent>', 'whose needs; all: those of edge and network')
        .choices([...agents, 'all'])
        .default('all'),
    )
    .addOption(
      new Option('--pods-from <source>', "where the network agents take the pods' prefixes from")
        .choices(['calico', 'podCIDRs'])
        .default('calico'),
    )
    .addHelpText(
      'after',
      `
Exit code 0: valid (warnings do not count), 2: not valid. Reasons: docs/reference/errors.md
Ingresses are judged as a pool of their class would, or one of defaults where no pool is given: docs/reference/annotations.md
With --hosts 1: a cluster lacks something (that it is not known does not count). The agents of blades are asked, and the address of a cluster
of which no blade says what it serves.
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
  const { findIngresses, judgeIngresses } = await import('./check/ingresses.ts');
  const { ingresses, specPaths, unread } = await findIngresses(paths);
  const result = specPaths.length === 0 ? undefined : await load(specPaths);
  const platform = result !== undefined && 'platform' in result ? result.platform : undefined;
  const findings = [...unread, ...(await judgeIngresses(ingresses, platform))];
  const good = result === undefined || 'platform' in result;
  const parity = options.hosts === true && platform !== undefined ? await parityHere(platform, options) : undefined;
  const { renderParity } = await import('../observe/parity-text.ts');
  const lines = () => [
    ...renderParity(parity ?? []),
    ...textOf(result ?? plural(ingresses.length, 'Ingress', 'Ingresses'), findings),
  ];
  if (options.output === 'text' && !good) printErrorLines(lines());
  else
    await printResult(options.output, {
      lines,
      value: () => ({ ...jsonOf(result, findings), ...withoutUndefined({ parity }) }),
    });
  if (!good) process.exitCode = 2;
  else if (parity?.some(({ count }) => count > 0) === true) process.exitCode = 1;
}

async function parityHere(platform: Platform, options: TlsArguments): Promise<readonly ParityView[]> {
  const { parityNow } = await import('./parity.ts');
  return parityNow(platform, await accessOf(options));
}

async function load(paths: readonly string[]): Promise<LoadResult> {
  const { loadPlatform } = await import('../platform/load.ts');
  return loadPlatform(paths);
}

/**
 * For people: the lines of problems, then of warnings, those of Ingresses last, then one that sums up. Where there is nothing of a
 * platform, `result` is what was looked at instead.
 */
export function textOf(result: LoadResult | string, ingresses: readonly Problem[] = []): readonly string[] {
  const { problems = [], warnings = [] } = typeof result === 'string' ? {} : { problems: [], ...result };
  return [
    ...problems.flatMap(problemLines),
    ...[...warnings, ...ingresses].flatMap((warning) => {
      const [first = '', ...rest] = problemLines(warning);
      return [`warning: ${first}`, ...rest];
    }),
    problems.length > 0 ? sumUp(problems) : `ok: ${okText(result)}`,
  ];
}

/** For programs: `{ ok, counts?, problems, warnings }`. */
export function jsonOf(result: LoadResult | undefined, ingresses: readonly Problem[] = []): object {
  const warnings = [...(result?.warnings ?? []), ...ingresses];
  if (result === undefined) return { ok: true, problems: [], warnings };
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
    freezes: platform.freezes.size,
    overlays: platform.overlays.size,
    verdicts: platform.verdicts.size,
    servers: platform.servers.size,
    fleets: platform.fleets.size,
    scalingTargets: platform.scalingTargets.size,
  };
}

function okText(result: LoadResult | string): string {
  if (typeof result === 'string') return result;
  return 'platform' in result ? countText(result.platform) : '';
}

function countText(platform: Platform): string {
  const counts = countsOf(platform);
  return [
    plural(counts.sites, 'site'),
    plural(counts.clusters, 'cluster'),
    plural(counts.edgePools, 'edge pool'),
    plural(counts.policies, 'traffic policy', 'traffic policies'),
    plural(counts.drains, 'drain'),
    ...(counts.freezes === 0 ? [] : [plural(counts.freezes, 'freeze')]),
    ...(counts.overlays === 0 ? [] : [plural(counts.overlays, 'traffic overlay')]),
    ...(counts.verdicts === 0 ? [] : [plural(counts.verdicts, 'traffic verdict')]),
    ...(counts.servers === 0 ? [] : [plural(counts.servers, 'server')]),
    ...(counts.fleets === 0 ? [] : [plural(counts.fleets, 'fleet')]),
    ...(counts.scalingTargets === 0 ? [] : [plural(counts.scalingTargets, 'scaling target')]),
  ].join(', ');
}

function sumUp(problems: readonly Problem[]): string {
  const files = new Set(problems.map((problem) => problem.file)).size;
  return `${plural(problems.length, 'problem')} in ${plural(files, 'file')}`;
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
