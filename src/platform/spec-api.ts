import { apiVersion } from '../model/contract.ts';
import type { DrainAnswers } from '../model/platform/drain-answers.ts';
import { type Trust, topicOf } from '../model/platform/trust.ts';
import { type SpecDocument, valueAt } from '../model/spec/document.ts';
import { isKindName, type KindName } from '../model/spec/kinds.ts';
import type { SpecApiReason } from './reasons.ts';

/** An object of the platform spec as the API of a cluster has it. */
export interface ApiObject {
  readonly kind: KindName;
  readonly name: string;
  readonly spec: unknown;
  readonly generation?: number;
}

/** The platform spec as far as the API of one cluster has it. */
export interface SpecApi {
  /** For people: `API of cluster paris`. */
  readonly place: string;
  /** The Cluster of the platform spec whose API it is; only of this one it may speak, beside what it is trusted for. */
  readonly cluster: string;
  /** What the operator of the agent named it as trusted for. */
  readonly trust: Trust;
  readonly objects: readonly ApiObject[];
  /** How much DNS still leads to what a Drain takes out of service, by its name, where the status of the object says it. */
  readonly answers?: ReadonlyMap<string, DrainAnswers>;
}

/** What became of an object of an API. */
export interface Verdict {
  readonly place: string;
  readonly kind: KindName;
  readonly name: string;
  readonly generation?: number;
  /** `held`: another version of it than the one that stands there is in force. */
  readonly state: 'accepted' | 'held' | 'refused';
  readonly reason: SpecApiReason;
  /** One sentence without a full stop. */
  readonly message: string;
}

export type Why = Pick<Verdict, 'reason' | 'message'>;

/** The object as a document, so that it is validated as one from a file is. It has no lines. */
export function documentOf({ place }: SpecApi, { kind, name, spec }: ApiObject): SpecDocument {
  const value = { apiVersion, kind, metadata: { name }, spec };
  return { file: place, folder: '/', value, broken: false, lineOf: () => 1 };
}

/** `Kind/name`, by which copies of an object in several places are known; undefined of a document that is no object. */
export function keyOf({ value, broken }: SpecDocument): string | undefined {
  const kind = valueAt(value, ['kind']);
  const name = valueAt(value, ['metadata', 'name']);
  return !broken && isKindName(kind) && typeof name === 'string' ? `${kind}/${name}` : undefined;
}

/**
 * Why a value is beyond what this API may say, or undefined. Without this an administrator of one cluster would own the prefixes, the
 * DNS zones and the other clusters of the company. `bladesElsewhere` are the blades of other clusters' pools.
 */
export function beyondBounds(
  { trust, cluster }: SpecApi,
  { kind, spec }: Pick<ApiObject, 'kind' | 'spec'>,
  bladesElsewhere: ReadonlySet<string>,
): Why | undefined {
  if (trust.has(topicOf(kind))) return undefined;
  if (kind === 'EdgePool') {
    const of = valueAt(spec, ['cluster']);
    return of === cluster
      ? undefined
      : ofOther(`it serves the cluster ${String(of)}, and this is the API of ${cluster}`);
  }
  if (kind !== 'Drain')
    return {
      reason: 'NotTrusted',
      message: `a ${kind} is believed only of a folder, and of an API that agents were told to trust for ${topicOf(kind)}`,
    };
  const target = valueAt(spec, ['target', 'kind']);
  const name = String(valueAt(spec, ['target', 'name']));
  if (target === 'Site') return ofOther(`a site may serve several clusters; drain the cluster ${cluster} instead`);
  if (target === 'Cluster' && name !== cluster) return ofOther(`it drains ${name}, and this is the API of ${cluster}`);
  if (target === 'Blade' && bladesElsewhere.has(name)) return ofOther(`the blade ${name} serves another cluster`);
  return undefined;
}

function ofOther(message: string): Why {
  return { reason: 'OfOtherCluster', message };
}

/**
 * Whether an object concerns the agents of the cluster `here`. The name of a worker is known in its own cluster only: a Drain of one in the
 * API of another cluster is that of another server.
 */
export function concerns({ trust, cluster }: SpecApi, { kind, spec }: ApiObject, here: string | undefined): boolean {
  if (cluster === here || trust.has(topicOf(kind))) return true;
  return kind !== 'Drain' || valueAt(spec, ['target', 'kind']) !== 'Worker';
}

/** The names of the blades in pools of other clusters than this one. */
export function bladesBeyond(documents: readonly SpecDocument[], cluster: string): ReadonlySet<string> {
  const pools = documents.filter(
    ({ value }) => valueAt(value, ['kind']) === 'EdgePool' && valueAt(value, ['spec', 'cluster']) !== cluster,
  );
  const blades = pools.flatMap(({ value }) => {
    const list = valueAt(value, ['spec', 'blades']);
    return Array.isArray(list) ? list.map((blade: unknown) => String(valueAt(blade, ['name']))) : [];
  });
  return new Set(blades);
}
