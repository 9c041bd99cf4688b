import { join } from 'node:path';
import { formatProblem } from '../../model/problem.ts';
import type { DoubtPart } from '../../model/status.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Loop } from '../../runtime/loop.ts';
import type { Registry } from '../../runtime/metrics.ts';
import { readAcceptance } from '../acceptance.ts';
import { DoubtBoard } from '../doubt-board.ts';
import { Doubts } from '../doubts.ts';
import { type AnyObject, type Kind, kinds } from '../kinds.ts';
import { createSourceMetrics, type SourceMetrics } from '../metrics.ts';
import type { ObjectKey } from '../objects/metadata.ts';
import type { ClusterListener, ClusterSource, ClusterState, SourceStatus, StaleReason } from '../source.ts';
import { advance, countObjects, emptyState, type ObjectsByKind, objectsOfKind } from '../state.ts';
import { assemble, type FileProblem } from './files.ts';
import { FileSet } from './fileset.ts';
import { listFolder } from './folder.ts';
import { FolderWatch } from './watch.ts';

export interface ManifestSourceOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry?: Registry;
  /** A file counts as written when it has been at rest this long. Default 20 ms. */
  readonly quietMs?: number;
  /** Files that never rest delay the others no longer than this. Default 1 s. */
  readonly unrestMs?: number;
  /** How often the folder is scanned without an event of the kernel. Default 5 s. */
  readonly pollMs?: number;
  /** After a loss, a folder that came back with fewer objects is accepted when it has not changed for this long. Default 5 s. */
  readonly returnMs?: number;
  /**
   * The state that is in force when the source starts: the first reading is judged against it as a later one is against the one
   * before. Nothing is read before it has resolved; undefined where nothing is in force.
   */
  readonly lastGood?: Promise<ClusterState | undefined>;
}

/**
 * The file of the folder into which a person writes the fingerprint of an implausible step (the status names it) to accept
 * it.
 */
export const acceptFile = '.tideline-accept';

/** A cluster read from a folder of Kubernetes manifests; see the README of this room for what counts as loss. */
export function createManifestSource(options: ManifestSourceOptions): ClusterSource {
  return new ManifestSource(options);
}

interface Loss {
  readonly reason: StaleReason;
  readonly message: string;
}

class ManifestSource implements ClusterSource {
  readonly #options: ManifestSourceOptions;
  readonly #metrics: SourceMetrics;
  readonly #files: FileSet;
  readonly #watch: FolderWatch;
  readonly #loop: Loop;
  #listener: ClusterListener | undefined;
  #status: SourceStatus = { phase: 'syncing' };
  #state: ClusterState = emptyState;
  #reported = new Set<string>();
  /** True when the folder was missing, empty or implausible since the source was last live. */
  #lost = false;
  /** What is in force: the state or, before there is one, that of an earlier agent. */
  #inForce: ClusterState = emptyState;
  readonly #doubts = new Doubts(Infinity);
  readonly #board: DoubtBoard;
  /** When the accept file was written that was obeyed last, in ms since the epoch. */
  #acceptedMs: number | undefined;
  /** When the folder was last lost, or an object in doubt last came back: a folder that is being restored is not at rest. */
  #returnedMs = -Infinity;

  constructor(options: ManifestSourceOptions) {
    this.#options = options;
    const { clock, quietMs = 20, pollMs = 5000, unrestMs = 1000 } = options;
    this.#metrics = createSourceMetrics(options.registry, clock);
    this.#board = new DoubtBoard({ doubts: this.#doubts, acceptFile: join(options.folder, acceptFile), clock });
    this.#files = new FileSet({ folder: options.folder, clock, quietMs, unrestMs });
    this.#loop = new Loop({
      clock,
      debounceMs: quietMs,
      ceilingMs: quietMs * 10,
      retry: { firstMs: 500, ceilingMs: 10_000 },
      run: () => this.#scan(),
      onError: (error) => options.log.error({ err: error }, 'reading the manifest folder failed'),
    });
    this.#watch = new FolderWatch({
      clock,
      pollMs,
      onHint: (byEvent) => {
        if (byEvent) this.#files.noteEvent();
        this.#loop.trigger();
      },
    });
  }

  start(listener: ClusterListener): void {
    this.#listener = listener;
    this.#metrics.status(this.#status);
    void this.#begin();
  }

  async #begin(): Promise<void> {
    this.#inForce = (await this.#options.lastGood) ?? emptyState;
    this.#doubts.resume(this.#inForce.origin?.doubtSinceMs);
    if (this.#listener === undefined) return;
    this.#watch.start();
    this.#loop.trigger();
  }

  status(): SourceStatus {
    return this.#status;
  }

  doubting(): DoubtPart {
    return this.#board.view();
  }

  async stop(): Promise<void> {
    this.#listener = undefined;
    this.#watch.stop();
    await this.#loop.stop();
  }

  async #scan(): Promise<void> {
    const listing = await listFolder(this.#options.folder);
    if (this.#watch.follow(listing.ok ? listing.folders : [])) this.#loop.trigger();
    if (!listing.ok) {
      this.#files.forget();
      return this.#reportLoss({
        reason: listing.missing ? 'SourceMissing' : 'SourceUnreadable',
        message: listing.message,
      });
    }
    const found = await this.#files.update(listing);
    if (found.unsettled) this.#loop.trigger();
    if (found.wait || (!found.changed && this.#status.phase === 'live')) return;
    const { objects, refused } = assemble(this.#files.contents, this.#inForce);
    this.#reportProblems([...found.problems, ...refused]);
    await this.#judge(objects, found.problems);
  }

  /** Decides whether the content on disk is an edit, which is published, or a loss, which becomes the status. */
  async #judge(objects: ObjectsByKind, problems: readonly FileProblem[]): Promise<void> {
    const [problem] = problems;
    if (problems.length === this.#files.contents.size && problems.every(({ reason }) => reason === 'FileEmpty'))
      return this.#reportLoss({ reason: 'SourceEmpty', message: `every file in ${this.#options.folder} is empty` });
    if (problem !== undefined) {
      const others = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
      return this.#reportLoss({ reason: 'SourceUnreadable', message: `${formatProblem(problem)}${others}` }, objects);
    }
    if (countObjects(objects) === 0)
      return this.#reportLoss({
        reason: 'SourceEmpty',
        message: `no object of a kind we read in ${this.#options.folder}`,
      });
    await this.#judgeLosses(objects);
    const doubt = this.#board.look();
    this.#publish(this.#withDoubted(objects), false);
    if (this.#doubts.size === 0) {
      this.#lost = false;
      if (this.#status.phase !== 'live') this.#setStatus({ phase: 'live', sinceMs: this.#options.clock.now() });
      return;
    }
    const message =
      doubt === undefined
        ? `the folder came back with ${this.#doubts.size} objects fewer; waiting until it is at rest`
        : doubt.message;
    this.#reportLoss({ reason: 'SourceImplausible', message });
  }

  /** Determines anew which of the objects in force that the folder lacks are in doubt; the others were deleted. */
  async #judgeLosses(objects: ObjectsByKind): Promise<void> {
    const nowMs = this.#options.clock.monotonic();
    for (const kind of this.#doubts.kinds)
      for (const key of objects.get(kind)?.keys() ?? []) if (this.#doubts.has(kind, key)) this.#returnedMs = nowMs;
    for (const kind of kinds) {
      const before = objectsOfKind(this.#inForce, kind);
      const next = objects.get(kind) ?? new Map<ObjectKey, AnyObject>();
      const witnessed = [...next.keys()].some((key) => before.has(key));
      // A folder that is being restored passes through plausible halves: after a loss, missing objects count as deleted only
      // when it is at rest.
      const restMs = this.#lost ? (this.#options.returnMs ?? 5000) : 0;
      this.#doubts.judge({ kind, before, next, nowMs, witnessed, restMs, restingSinceMs: this.#returnedMs });
    }
    if (this.#doubts.implausible.length === 0) return;
    const acceptance = await readAcceptance(join(this.#options.folder, acceptFile));
    // The file stays, for the other agents that read this folder; each takes what it says once.
    if (acceptance === undefined || acceptance.writtenMs === this.#acceptedMs) return;
    const { clock, log } = this.#options;
    const writtenMs = clock.monotonic() - (clock.now() - acceptance.writtenMs);
    if (this.#doubts.accept(acceptance.said, writtenMs) === undefined) return;
    this.#acceptedMs = acceptance.writtenMs;
    this.#board.obeyed(acceptance);
    log.warn({ fingerprint: acceptance.said }, 'implausible change accepted by a person');
  }

  /** These objects, and those in doubt, which stay in force. */
  #withDoubted(objects: ObjectsByKind): ObjectsByKind {
    const all = new Map<Kind, ReadonlyMap<ObjectKey, AnyObject>>(objects);
    for (const kind of this.#doubts.kinds) {
      const kept = [...objectsOfKind(this.#inForce, kind)].filter(([key]) => this.#doubts.has(kind, key));
      all.set(kind, new Map([...(objects.get(kind) ?? []), ...kept]));
    }
    return all;
  }

  /** Makes a loss of input the status. No object is removed; new and modified objects in the `rest` are still published. */
  #reportLoss(loss: Loss, rest?: ObjectsByKind): void {
    if (loss.reason !== 'SourceUnreadable') this.#lost = this.#inForce !== emptyState;
    if (loss.reason !== 'SourceImplausible') this.#returnedMs = this.#options.clock.monotonic();
    if (this.#state.revision === 0) {
      this.#setStatus({ phase: 'syncing', reason: loss.reason, message: loss.message });
      return;
    }
    const nowMs = this.#options.clock.now();
    const sinceMs = this.#status.phase === 'stale' ? this.#status.sinceMs : (this.#doubts.since(nowMs) ?? nowMs);
    this.#setStatus({ phase: 'stale', sinceMs, ...loss });
    if (rest !== undefined) this.#publish(rest, true);
  }

  #publish(objects: ObjectsByKind, keepMissing: boolean): void {
    const doubtSinceMs = this.#doubts.since(this.#options.clock.now());
    const change = advance(this.#state, objects, keepMissing);
    const begins = doubtSinceMs !== this.#state.origin?.doubtSinceMs && this.#state.revision > 0;
    if ((change === undefined && !begins) || this.#listener === undefined) return;
    // That a doubt began or ended is a change of no object: whoever keeps the state has to know it.
    const { state, changed = new Map() } = change ?? { state: { ...this.#state, revision: this.#state.revision + 1 } };
    this.#state = { ...state, origin: { versions: {}, ...withoutUndefined({ doubtSinceMs }) } };
    this.#inForce = this.#state;
    this.#metrics.changed(this.#state);
    this.#listener.onChange({ state: this.#state, changed });
  }

  #setStatus(status: SourceStatus): void {
    const before = this.#status;
    if (JSON.stringify(before) === JSON.stringify(status) || this.#listener === undefined) return;
    this.#status = status;
    this.#metrics.status(status);
    const { folder, log } = this.#options;
    if (status.phase === 'live') log.info({ folder }, 'cluster source is live');
    else log.warn({ folder, ...status }, status.phase === 'stale' ? 'cluster source is stale' : 'cluster source waits');
    if (status.phase === 'stale' && (before.phase !== 'stale' || before.reason !== status.reason))
      this.#metrics.error(status.reason);
    this.#listener.onStatus(status);
  }

  /** Logs and counts every problem once for as long as it lasts. */
  #reportProblems(problems: readonly FileProblem[]): void {
    const standing = new Set<string>();
    for (const problem of problems) {
      const id = formatProblem(problem);
      standing.add(id);
      if (this.#reported.has(id)) continue;
      this.#metrics.error(problem.reason);
      this.#options.log.warn({ ...problem }, 'manifest refused');
    }
    this.#reported = standing;
  }
}
