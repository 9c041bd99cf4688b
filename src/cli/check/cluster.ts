import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { parse } from 'yaml';
import { apiGroup } from '../../model/contract.ts';
import { findObject } from '../../model/platform/find.ts';
import { poolsOfCluster, sitesOfCluster } from '../../model/platform/places.ts';
import { InputError } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { PodsFrom } from '../../planes/network/needs.ts';
import { type Agent, usualAgents } from '../../preflight/agents.ts';
import type { Crd, ExpectedCrd } from '../../preflight/judge/crds.ts';
import { ownCrds } from '../../preflight/needs.ts';
import type { Expectations } from '../../preflight/preflight.ts';
import { type OutputArguments, printResult } from '../output.ts';
import { showProgress } from '../progress.ts';

export interface ClusterArguments extends OutputArguments {
  /** Name of the Cluster; `true` when none was named, and `--kubeconfig` says which one it is. */
  readonly cluster: string | true;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly as: Agent | 'all';
  readonly podsFrom: PodsFrom;
}

const deploy = resolve(import.meta.dirname, '..', '..', '..', 'deploy');

/** `tideline check --cluster`: prints what an agent would miss in that cluster. Resolves with the exit code. */
export async function checkCluster(paths: readonly string[], options: ClusterArguments): Promise<number> {
  const platform = paths.length === 0 ? undefined : await loadPlatform(paths);
  const source = sourceOf(options, platform);
  const agents = options.as === 'all' ? usualAgents : [options.as];
  const { systemClock: clock } = await import('../../runtime/clock.ts');
  const { exitCodeOf, jsonOf, textOf } = await import('../../preflight/render.ts');
  const common = { agents, podsFrom: options.podsFrom, clock };
  const cluster = options.cluster === true ? undefined : options.cluster;
  const expectations = platform === undefined || cluster === undefined ? undefined : expectationsOf(platform, cluster);
  if ('manifests' in source) {
    const { preflightFolder } = await import('../../preflight/folder.ts');
    const empty = { sites: [], others: [], classes: [] };
    const findings = await preflightFolder({
      ...common,
      folder: source.manifests,
      expectations: expectations ?? empty,
    });
    const head = `cluster ${cluster ?? ''}: ${shortPath(source.manifests)}`;
    await printResult(options.output, {
      lines: () => textOf(head, findings),
      value: () => jsonOf({ cluster }, findings),
    });
    return exitCodeOf(findings);
  }
  const { readTarget } = await import('../../preflight/kubeconfig.ts');
  const { preflight } = await import('../../preflight/preflight.ts');
  const { identityText } = await import('../../preflight/judge/credentials.ts');
  const target = await readTarget(source.kubeconfig, source.context);
  const progress = showProgress();
  const { findings, identity } = await preflight({
    ...common,
    target,
    connect: async () => (await import('../../kube/api/connect.ts')).connect({ ...source, clock }),
    ...withoutUndefined({ expectations }),
    crds: await readCrds(),
    rbac: shortPath(join(deploy, 'rbac')),
    onStep: progress.step,
  }).finally(progress.end);
  const who = identity === undefined ? '' : ` as ${identityText(identity)}`;
  const head = `cluster ${cluster ?? target.cluster}: ${target.server}${who}`;
  const facts = { cluster: cluster ?? target.cluster, server: target.server, identity };
  await printResult(options.output, {
    lines: () => textOf(head, findings),
    value: () => jsonOf(facts, findings),
  });
  return exitCodeOf(findings);
}

async function loadPlatform(paths: readonly string[]): Promise<Platform> {
  const { loadPlatformOrThrow } = await import('../../platform/load.ts');
  return loadPlatformOrThrow(paths);
}

type Source = { readonly manifests: string } | { readonly kubeconfig: string; readonly context?: string };

function sourceOf({ cluster: name, kubeconfig, context }: ClusterArguments, platform: Platform | undefined): Source {
  if (platform !== undefined && name === true)
    throw new InputError({
      reason: 'ClusterUnnamed',
      message: '--cluster: name the Cluster of the platform spec',
      fix: `--cluster ${[...platform.clusters.keys()][0] ?? 'NAME'}`,
    });
  const asked = { option: '--cluster', place: 'the platform spec' };
  const cluster = platform === undefined || name === true ? undefined : findObject(platform, 'Cluster', name, asked);
  if (kubeconfig !== undefined) return { kubeconfig, ...withoutUndefined({ context }) };
  if (cluster === undefined || platform === undefined)
    throw new InputError({
      reason: 'NoClusterSource',
      message: '--cluster needs the platform spec that declares it, or --kubeconfig FILE',
      fix: 'name the files of the platform spec, or a kubeconfig',
    });
  const { source } = cluster.spec;
  const folder = platform.folderOf(cluster.metadata.name);
  if ('manifests' in source) return { manifests: shortPath(resolve(folder, source.manifests)) };
  if ('none' in source)
    throw new InputError({
      reason: 'NoClusterSource',
      message: `Cluster/${cluster.metadata.name} is not read at all (spec.source.none): nothing to check`,
      fix: 'name a kubeconfig with --kubeconfig',
    });
  const chosen = context ?? source.context;
  return {
    kubeconfig: shortPath(resolve(folder, source.kubeconfig)),
    ...withoutUndefined({ context: chosen }),
  };
}

function expectationsOf(platform: Platform, name: string): Expectations {
  const sites = sitesOfCluster(platform, name);
  const own = new Set(sites.map(({ metadata }) => metadata.name));
  return {
    others: [...platform.sites].flatMap(([site, { spec }]) =>
      own.has(site) ? [] : Object.values(spec.prefixes).flatMap((all) => all.map((prefix) => ({ site, prefix }))),
    ),
    sites: sites.map(({ metadata, spec }) => ({
      name: metadata.name,
      pods: spec.prefixes.pods,
      servers: spec.prefixes.servers,
      maxRoutes: spec.limits.maxRoutesPerServer,
    })),
    classes: [...new Set(poolsOfCluster(platform, name).map(({ spec }) => spec.ingressClass))].toSorted(),
  };
}

/** The CRDs that a cluster has, as they come with this version. */
async function readCrds(): Promise<readonly ExpectedCrd[]> {
  return Promise.all(
    ownCrds.map(async (name) => {
      const path = join(deploy, 'crds', `${name.replace(`.${apiGroup}`, '')}.yaml`);
      // This is our own file, which the tests check.
      return { crd: parse(await readFile(path, 'utf8')) as Crd, file: shortPath(path) };
    }),
  );
}

/** The shortest form of a path that can be pasted into a shell here. */
function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
