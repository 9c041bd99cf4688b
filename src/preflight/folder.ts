import { createManifestSource } from '../kube/manifests/source.ts';
import { reads, sourceSelection } from '../kube/needs.ts';
import type { ClusterState } from '../kube/source.ts';
import type { PodsFrom } from '../planes/network/needs.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Log, silentLog } from '../runtime/log.ts';
import { type Agent, needsOf } from './agents.ts';
import { count, type Finding, failed, ok, quote } from './finding.ts';
import { classFacts, nodeFacts } from './gather.ts';
import { judgeIngress } from './judge/ingress.ts';
import { judgeNodes } from './judge/nodes.ts';
import type { Expectations } from './preflight.ts';

export interface FolderOptions {
  readonly folder: string;
  readonly agents: readonly Agent[];
  readonly podsFrom: PodsFrom;
  readonly expectations: Expectations;
  readonly clock: Clock;
}

const readMs = 5000;

/** The preflight for a cluster that is a folder of manifests: whether it is readable, and holds what the agents read. */
export async function preflightFolder(options: FolderOptions): Promise<readonly Finding[]> {
  const read = await readFolder(options);
  if ('problem' in read)
    return [
      failed('folder', 'FolderUnreadable', {
        found: read.problem,
        expected: 'a folder of Kubernetes YAML in which every file can be read',
        fix: `ls -lR ${quote(options.folder)}`,
      }),
    ];
  const { objects } = read.state;
  const files = Object.values(objects).reduce((sum, { size }) => sum + size, 0);
  return [
    ok('folder', `${options.folder}: ${count(files, 'object')}`),
    ...judgeKinds(read.state, options),
    ...judgeObjects(read.state, options),
  ];
}

async function readFolder({
  folder,
  clock,
}: FolderOptions): Promise<{ readonly state: ClusterState } | { readonly problem: string }> {
  const { promise, resolve } = Promise.withResolvers<{ readonly state: ClusterState } | { readonly problem: string }>();
  let problem = `${folder} could not be read within ${readMs / 1000} s`;
  const log: Log = {
    ...silentLog,
    warn: (fields) => {
      const { file, line, message, reason } = fields as Readonly<Record<string, string | number | undefined>>;
      if (reason === 'SourceMissing') problem = `${folder} does not exist`;
      else if (reason === 'SourceEmpty') problem = `${folder} holds no object of a kind we read`;
      else if (file !== undefined)
        problem = `${file}${line === undefined ? '' : `:${line}`}: ${message ?? reason ?? ''}`;
    },
  };
  const source = createManifestSource({ folder, clock, log });
  const timer = clock.setTimeout(() => resolve({ problem }), readMs);
  source.start({
    onChange: ({ state }) => resolve({ state }),
    onStatus: (status) => {
      if (status.phase === 'syncing' && status.reason !== undefined) resolve({ problem });
    },
  });
  try {
    return await promise;
  } finally {
    timer.cancel();
    await source.stop();
  }
}

function judgeKinds({ objects }: ClusterState, { agents, podsFrom, folder }: FolderOptions): readonly Finding[] {
  const needs = agents.flatMap((agent) => needsOf(agent, podsFrom));
  const wanted = new Set(sourceSelection(needs.filter(({ mayLack }) => mayLack !== true)).kinds);
  const missing = [...wanted].filter((kind) => objects[kind].size === 0);
  if (missing.length === 0) return [ok('kinds', [...wanted].join(', '))];
  return missing.map((kind) =>
    failed('kinds', 'KindMissing', {
      found: `there is no ${kind} in the folder`,
      expected: 'everything that the agents read',
      fix: `kubectl get ${kind.toLowerCase()} -A -o yaml > ${quote(`${folder}/${kind.toLowerCase()}.yaml`)}`,
    }),
  );
}

function judgeObjects({ objects }: ClusterState, options: FolderOptions): readonly Finding[] {
  const { agents, expectations, podsFrom } = options;
  const needs = agents.flatMap((agent) => needsOf(agent, podsFrom));
  const { sites, classes } = expectations;
  const allowed = { servers: sites.flatMap((site) => site.servers), pods: sites.flatMap((site) => site.pods) };
  const nodes = { got: [...objects.Node.values()].map(nodeFacts) };
  const known = [...objects.IngressClass.values()].map(classFacts);
  return [
    ...(reads(needs, 'Node') && nodes.got.length > 0 ? judgeNodes(nodes, { who: '', podsFrom, allowed }) : []),
    // Folders rarely hold IngressClasses; a class without an object counts as ours for the agent.
    ...(reads(needs, 'IngressClass') && known.length > 0 ? judgeIngress({ got: known }, classes, '') : []),
  ];
}
