import { isDeepStrictEqual } from 'node:util';
import { type SnapshotFile, SnapshotWriter } from '../kube/last-good.ts';
import type { OwnObject } from '../kube/objects/own.ts';
import type { ClusterSource, ClusterState, SourceStatus } from '../kube/source.ts';
import { emptyState, type ObjectsByKind, objectsOfKind, stateOf } from '../kube/state.ts';
import type { Trust } from '../model/platform/trust.ts';
import { placeOfApi } from '../model/source-status.ts';
import { type SpecDocument, valueAt } from '../model/spec/document.ts';
import { type ApiKindName, apiKindNames } from '../model/spec/kinds.ts';
import type { DoubtPart } from '../model/status.ts';
import { withoutUndefined } from '../model/values.ts';
import type { InForce } from '../platform/compose.ts';
import { type ApiObject, documentOf, type SpecApi, type Verdict } from '../platform/spec-api.ts';
import type { SpecApiSource } from '../platform/watch.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { Signal, type Unsubscribe } from '../runtime/signal.ts';

export interface PlatformApiOptions {
  /** The Cluster of the platform spec whose API it is. */
  readonly cluster: string;
  /** What the operator named it as trusted for. */
  readonly trust: Trust;
  /** Follows the kinds that are read; it judges losses against the state of `lastGood`. */
  readonly source: ClusterSource;
  /** What was in force of this API, on disk. */
  readonly lastGood: SnapshotFile;
  readonly clock: Clock;
  readonly log: Log;
}

/** A change is written to disk after this time. */
const saveDelayMs = 100;

/**
 * The platform spec in the API of one cluster. Until the API was read once, and while it cannot be read, it is what it was: loss of
 * input is a status, never a change. On disk stands what is in force of each object, which is not always what stands in the API.
 */
export class PlatformApi implements SpecApiSource {
  readonly #options: PlatformApiOptions;
  readonly #changes: Signal<void>;
  readonly #writer: SnapshotWriter;
  #state: ClusterState = emptyState;
  #current: SpecApi;
  #saved: ObjectsByKind | undefined;
  before: InForce = new Map();

  constructor(options: PlatformApiOptions) {
    this.#options = options;
    const { cluster, trust, lastGood: file, clock, log } = options;
    this.#current = { place: placeOfApi(cluster), cluster, trust, objects: [] };
    this.#changes = new Signal((error) => log.error({ err: error }, 'a listener of the platform failed'));
    this.#writer = new SnapshotWriter({ file, clock, log, delayMs: saveDelayMs });
  }

  /** Takes what was in force before, then follows the API. Resolves without waiting for it. */
  async start(): Promise<void> {
    const { source, lastGood, log } = this.#options;
    this.#take((await lastGood.read()) ?? emptyState);
    this.before = new Map(
      this.#current.objects.map((object) => [`${object.kind}/${object.name}`, documentOf(this.#current, object)]),
    );
    source.start({
      onChange: ({ state }) => {
        if (this.#take(state)) this.#changes.emit();
      },
      onStatus: (status) => {
        log.debug({ ...status }, 'the platform spec in the API has another status');
        this.#changes.emit();
      },
    });
  }

  current(): SpecApi {
    return this.#current;
  }

  /** The objects as the API has them, with the status that agents wrote. */
  objects(kind: ApiKindName): ReadonlyMap<string, OwnObject<ApiKindName>> {
    return objectsOfKind(this.#state, kind) as ReadonlyMap<string, OwnObject<ApiKindName>>;
  }

  onChange(listener: () => void): Unsubscribe {
    return this.#changes.subscribe(listener);
  }

  status(): SourceStatus {
    return this.#options.source.status();
  }

  /** What its source doubts. */
  doubting(): DoubtPart {
    return this.#options.source.doubting();
  }

  /** What keeps this API from being read, as a clause. */
  trouble(): string | undefined {
    const status = this.status();
    if (status.phase === 'live') return undefined;
    const { reason = 'it was not read yet', message } = status;
    return `${this.#current.place}: ${message === undefined ? reason : `${message} (${reason})`}`;
  }

  /** Notes on disk what is in force of the objects of this API. Called after each change of what is in force. */
  keep(inForce: InForce, verdicts: readonly Verdict[]): void {
    if (this.#state === emptyState) return;
    const { place } = this.#current;
    // What is refused may have the name of an object of another place, which this API has no part in.
    const refused = new Set(
      verdicts.flatMap((one) => (one.place === place && one.state === 'refused' ? [`${one.kind}/${one.name}`] : [])),
    );
    const keptOf = (kind: ApiKindName) =>
      [...this.objects(kind)].flatMap((entry) => (refused.has(`${kind}/${entry[0]}`) ? [] : kept(entry, inForce)));
    const objects = new Map(apiKindNames.map((kind) => [kind, new Map(keptOf(kind))])) as ObjectsByKind;
    if (isDeepStrictEqual(objects, this.#saved)) return;
    this.#saved = objects;
    this.#writer.save({ ...stateOf(0, objects), ...withoutUndefined({ origin: this.#state.origin }) });
  }

  async stop(): Promise<void> {
    await this.#options.source.stop();
    await this.#writer.flush();
  }

  /** Takes a state; false when it says the same of the spec. */
  #take(state: ClusterState): boolean {
    this.#state = state;
    const objects = apiKindNames.flatMap((kind) =>
      [...this.objects(kind).values()].map(({ metadata, spec }): ApiObject => {
        const { name, generation } = metadata;
        return { kind, name, spec, ...withoutUndefined({ generation }) };
      }),
    );
    if (isDeepStrictEqual(objects, this.#current.objects)) return false;
    this.#current = { ...this.#current, objects };
    return true;
  }
}

/** An object with the spec that is in force of it; without one it is not kept. */
function kept(
  [name, object]: readonly [string, OwnObject<ApiKindName>],
  inForce: InForce,
): readonly (readonly [string, OwnObject<ApiKindName>])[] {
  const document: SpecDocument | undefined = inForce.get(`${object.kind}/${name}`);
  if (document === undefined) return [];
  const { status: _, ...rest } = object;
  return [[name, { ...rest, spec: valueAt(document.value, ['spec']) as Readonly<Record<string, unknown>> }]];
}
