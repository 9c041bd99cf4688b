import { resolve } from 'node:path';
import type { KubeClient } from '../../kube/api/client.ts';
import { type Need, sourceSelection } from '../../kube/needs.ts';
import { acceptFileOf, specApiFileOf } from '../../model/contract.ts';
import { noTrust, type Trust } from '../../model/platform/trust.ts';
import type { PlatformWatch } from '../../platform/watch.ts';
import type { PlatformApi } from '../../platform-api/source.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Registry } from '../../runtime/metrics.ts';
import type { SpecSources } from './spec-sources.ts';
import type { Started } from './started.ts';

export interface SpecApiParts<View> {
  /** `edge`, `network` or `steering`. */
  readonly agent: string;
  readonly cluster: string | undefined;
  readonly needs: readonly Need[];
  readonly sources: SpecSources;
  /** Undefined where the cluster is a folder of manifests: it is no source of the spec then. */
  readonly client: KubeClient | undefined;
  readonly stateDir: string;
  readonly watch: PlatformWatch<View>;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
  readonly started: Started;
}

/** Makes the API of the agent's own cluster a source of the platform spec, and those that the command line names; the own one is the first. */
export async function followSpecApis<View>(parts: SpecApiParts<View>): Promise<readonly PlatformApi[]> {
  const { cluster, client, sources, watch, clock, log, registry, started } = parts;
  const apis: PlatformApi[] = [];
  const follow = async (of: string, client: KubeClient, trust: Trust | undefined): Promise<void> => {
    const api = await specApi(parts, { cluster: of, client, trust });
    if (api !== undefined) apis.push(api);
  };
  if (client !== undefined && cluster !== undefined) await follow(cluster, client, sources.own);
  const { connect } = await import('../../kube/api/connect.ts');
  for (const { cluster: of, kubeconfig, trust } of sources.others) {
    const other = await connect({ kubeconfig, clock, log: log.child({ cluster: of }) });
    started.add(`kube client of ${of}`, () => other.close());
    await follow(of, other, trust);
  }
  const { measureApis } = await import('../../platform-api/metrics.ts');
  measureApis(registry, apis, () => watch.verdicts());
  if (apis.length === 0) return apis;
  const { followApis } = await import('../../platform-api/follow.ts');
  followApis(watch, apis, cluster);
  return apis;
}

/** Starts to follow one API; undefined where the agent needs nothing of it. */
async function specApi<View>(
  { agent, needs, stateDir, clock, log, started }: SpecApiParts<View>,
  {
    cluster,
    client,
    trust,
  }: { readonly cluster: string; readonly client: KubeClient; readonly trust: Trust | undefined },
): Promise<PlatformApi | undefined> {
  const { kinds: own, selectors } = sourceSelection(needs, 'platform');
  const { apiKindNames } = await import('../../model/spec/kinds.ts');
  // An API that a person named is read whole, so that what is not believed of it can be named too.
  const kinds = trust === undefined ? own : apiKindNames;
  if (kinds.length === 0) return undefined;
  const { createKubernetesSource } = await import('../../kube/watch/source.ts');
  const { snapshotFile } = await import('../../kube/last-good.ts');
  const { PlatformApi: Api } = await import('../../platform-api/source.ts');
  const lastGood = snapshotFile(resolve(stateDir, specApiFileOf(agent, cluster)), log, { mayLack: true });
  const source = createKubernetesSource({
    client,
    kinds,
    selectors,
    acceptFile: resolve(stateDir, acceptFileOf(`${agent}-platform`, cluster)),
    lastGood: lastGood.read(),
    clock,
    random: Math.random,
    log: log.child({ cluster }),
  });
  const api = new Api({ cluster, trust: trust ?? noTrust, source, lastGood, clock, log });
  await api.start();
  started.add(`platform API of ${cluster}`, () => api.stop());
  return api;
}
