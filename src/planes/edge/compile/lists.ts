import { listLength, readLists, refuseLists } from './annotations/lists.ts';
import type { IngressAnnotations } from './annotations/read.ts';
import { type Budget, namespaceOf } from './budget.ts';
import type { IngressReading } from './ingress.ts';

/** Annotations with their lists of addresses, by the same annotations without. */
export type ReadLists = ReadonlyMap<IngressAnnotations, IngressAnnotations>;

/**
 * Reads the lists of addresses of Ingresses. They may be very long, so there must be room for a list before it is read, and what
 * was read in the compile before is taken over. Ingresses must come oldest first.
 */
export class ListsOfIngresses {
  readonly #budget: Budget;
  readonly #before: ReadLists;
  readonly #read = new Map<IngressAnnotations, IngressAnnotations>();

  constructor(budget: Budget, before: ReadLists = new Map()) {
    this.#budget = budget;
    this.#before = before;
  }

  /** The lists that were read; none of an Ingress for whose lists there was no room. */
  get read(): ReadLists {
    return this.#read;
  }

  /** The same Ingress with its lists, or refused as a whole. */
  with(reading: IngressReading): IngressReading {
    const { annotations } = reading;
    if (annotations.lists === undefined) return reading;
    const fault = this.#budget.lists(namespaceOf(reading.key), listLength(annotations));
    if (fault !== undefined) return { ...reading, annotations: refuseLists(annotations, fault) };
    const read = this.#before.get(annotations) ?? readLists(annotations);
    this.#read.set(annotations, read);
    return { ...reading, annotations: read };
  }
}
