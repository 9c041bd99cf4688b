import { backoffMs } from '../../runtime/backoff.ts';
import type { ObjectReference } from '../objects/reference.ts';

/** What the failures of one namespace since its last answer say. */
interface Trouble {
  readonly failed: Set<string>;
  failures: number;
  untilMs: number;
}

const pause = { firstMs: 1000, ceilingMs: 60_000 };
/** A write that was not answered for this long hung, in an admission webhook for example. */
const hangsMs = 2000;
/** Writes that hang may take one part in so many of the time, because only one write is in flight. */
const hangShare = 10;

/**
 * Which namespaces take no writes at present, from failures that are not refusals (an admission webhook that cannot be called,
 * a write that is not answered). One object that fails waits by itself and holds up no other. A second one in the same
 * namespace, or a write that hangs, lets the namespace wait; and only `spread` says that more than one namespace fails. It is pure:
 * time comes with every call, in ms of a clock that never goes back.
 */
export class Troubles {
  readonly #namespaces = new Map<string, Trouble>();
  #failing = new Set<string>();

  /** The number of namespaces that failed since anything was answered. */
  get spread(): number {
    return this.#failing.size;
  }

  /** When the next write to the namespace of this object may be tried; -Infinity when it takes writes. */
  notBeforeMs({ namespace = '' }: ObjectReference): number {
    return this.#namespaces.get(namespace)?.untilMs ?? -Infinity;
  }

  noteAnswer({ namespace = '' }: ObjectReference): void {
    this.#namespaces.delete(namespace);
    this.#failing = new Set();
  }

  /** Notes a failure that took this long. Returns true when the namespace begins to wait with it. */
  noteFailure({ kind, namespace = '', name }: ObjectReference, tookMs: number, nowMs: number): boolean {
    this.#failing.add(namespace);
    const trouble = this.#namespaces.get(namespace) ?? { failed: new Set(), failures: 0, untilMs: -Infinity };
    this.#namespaces.set(namespace, trouble);
    trouble.failed.add(`${kind}/${name}`);
    const hung = tookMs >= hangsMs;
    if (trouble.failed.size < 2 && !hung) return false;
    trouble.failures += 1;
    trouble.untilMs = nowMs + Math.max(backoffMs(trouble.failures, pause), hung ? tookMs * hangShare : 0);
    return trouble.failures === 1;
  }
}
