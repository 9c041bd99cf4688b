import { apiVersion } from '../../model/contract.ts';
import { findObject } from '../../model/platform/find.ts';
import { proposalOf, withOverlays } from '../../model/platform/overlays.ts';
import type { Trust } from '../../model/platform/trust.ts';
import { InputError } from '../../model/problem.ts';
import { placeOfApi } from '../../model/source-status.ts';
import type { ApiKindName, TrafficVerdict } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { messageOf } from '../../model/values.ts';
import type { SpecApi, Verdict } from '../../platform/spec-api.ts';
import type { Trusted } from '../agent/spec-sources.ts';
import { readCluster } from '../cluster-read.ts';

/** The limit for each API; they are read beside each other. */
const patienceMs = 10_000;

/**
 * The platform of these files, together with what the APIs of the trusted clusters say. A command has no memory of what was in force: so it
 * throws an InputError when an API cannot be read, or when something in it is not in force as it stands there. A Drain that nobody could
 * read would otherwise be taken for ended, and a policy for removed. Its policies are as the overlays in force make them.
 */
export async function steeredPlatform(paths: readonly string[], trusted: readonly Trusted[]): Promise<Platform> {
  return (await steeredSpec(paths, trusted)).platform;
}

/** What the APIs made of a platform: its digest, and what became of each of their objects. */
export interface SaidByApis {
  readonly digest: string;
  readonly verdicts: readonly Verdict[];
}

/** A platform, and what is to be said in the APIs of which it was read; absent where none was. */
interface ReadSpec {
  readonly platform: Platform;
  readonly said?: SaidByApis;
}

/** The same, with what is to be said in the APIs of which it was read, and as if these overlays were approved. */
export async function steeredSpec(
  paths: readonly string[],
  trusted: readonly Trusted[],
  ifApproved: readonly string[] = [],
): Promise<ReadSpec> {
  const nowMs = Date.now();
  const { platform, ...rest } = await writtenSpec(paths, trusted, nowMs);
  return { platform: withOverlays(approving(platform, ifApproved, nowMs), nowMs), ...rest };
}

/** The platform as if a person had just approved these overlays as they stand. */
function approving(platform: Platform, names: readonly string[], nowMs: number): Platform {
  const verdicts = names.map((name): TrafficVerdict => {
    const overlay = findObject(platform, 'TrafficOverlay', name, { option: '--if-approved' });
    const at = new Date(nowMs).toISOString();
    const spec = { overlay: name, verdict: 'approve', by: '', at, reason: '', proposal: proposalOf(overlay) } as const;
    return { apiVersion, kind: 'TrafficVerdict', metadata: { name }, spec };
  });
  return {
    ...platform,
    verdicts: new Map([...platform.verdicts, ...verdicts.map((one) => [one.metadata.name, one] as const)]),
  };
}

async function writtenSpec(paths: readonly string[], trusted: readonly Trusted[], nowMs: number): Promise<ReadSpec> {
  const { readDocumentsOrThrow, readPlatform } = await import('../../platform/load.ts');
  if (trusted.length === 0) return { platform: await readPlatform(paths, nowMs) };
  const { composePlatform } = await import('../../platform/compose.ts');
  const folder = await readDocumentsOrThrow(paths, nowMs);
  const common = { folder, inForce: new Map(), nowMs };
  const { platform } = composePlatform({ ...common, apis: [] });
  const clusters = [...Map.groupBy(trusted, ({ cluster }) => cluster)];
  const apis = await Promise.all(
    clusters.map(([cluster, said]) =>
      readTrusted(platform, cluster, new Set(said.flatMap(({ topics }) => [...topics]))),
    ),
  );
  const whole = composePlatform({ ...common, apis });
  const odd = whole.verdicts.filter(({ reason }) => reason !== 'InForce');
  if (odd.length > 0) throw new InputError(odd.map(notInForce));
  const { platformDigest } = await import('../../platform/digest.ts');
  return {
    platform: whole.platform,
    said: { digest: platformDigest(whole.platform), verdicts: whole.verdicts },
  };
}

async function readTrusted(platform: Platform, cluster: string, trust: Trust): Promise<SpecApi> {
  const { readSpecApi } = await import('../../platform-api/read.ts');
  const { topicOf } = await import('../../model/platform/trust.ts');
  const { apiKindNames } = await import('../../model/spec/kinds.ts');
  // Nothing else: whoever is not trusted for a kind could otherwise hold up the plan by an object that is refused.
  const kinds: readonly ApiKindName[] = apiKindNames.filter((kind) => trust.has(topicOf(kind)));
  findObject(platform, 'Cluster', cluster, { option: '--platform-trust' });
  const read = await readCluster<SpecApi | undefined>(platform, cluster, {
    folder: async () => undefined,
    api: (client) => readSpecApi(client, cluster, patienceMs, { trust, kinds }),
  }).catch((error: unknown) => {
    throw new InputError(unread(cluster, messageOf(error)));
  });
  if (read === undefined) throw new InputError(unread(cluster, 'the spec names no kubeconfig for it'));
  return read;
}

function unread(cluster: string, why: string) {
  return {
    reason: 'SpecApiUnread',
    path: '--platform-trust',
    message: `the ${placeOfApi(cluster)} could not be read as a source of the platform spec: ${why}`,
    fix: 'wait until it can be read; what stands in it would be taken for removed now',
  };
}

function notInForce({ place, kind, name, reason, message }: Verdict) {
  return {
    reason,
    object: `${kind}/${name}`,
    message: `in the ${place}: ${message}`,
    fix: 'correct it there first: a plan that leaves it out could take back what it says',
  };
}
