import { InputError } from '../../src/model/problem.ts';
import { didYouMean } from '../../src/model/spec/similar.ts';
import { type Fault, faults } from './catalogue.ts';
import type { FaultPort } from './port.ts';

export interface ActiveFault {
  readonly name: string;
  readonly target: string;
  /** When the fault began, ms since the epoch. */
  readonly sinceMs: number;
}

/** Keeps which faults are in force. Faults are begun and healed one at a time. */
export class FaultBoard {
  readonly #lab: FaultPort;
  #active: readonly ActiveFault[] = [];
  #queue: Promise<unknown> = Promise.resolve();

  constructor(lab: FaultPort) {
    this.#lab = lab;
  }

  get active(): readonly ActiveFault[] {
    return this.#active;
  }

  /** Begins a fault. Throws InputError for an unknown name or target. Faults without a lasting state are not kept. */
  begin(name: string, target?: string): Promise<ActiveFault> {
    return this.#enqueue(async () => {
      const fault = findFault(name);
      const hit = checkTarget(fault, fault.targets(this.#lab), target);
      const begun = { name, target: hit, sinceMs: this.#lab.clock.now() };
      this.#active = [...this.#active.filter((a) => a.name !== name || a.target !== hit), begun];
      await fault.begin(this.#lab, hit);
      return begun;
    });
  }

  /** Heals the faults of that name, or all, the newest first; resolves with those that it healed. */
  heal(name?: string): Promise<readonly ActiveFault[]> {
    return this.#enqueue(async () => {
      if (name !== undefined) findFault(name);
      const healed = this.#active.filter((fault) => name === undefined || fault.name === name).toReversed();
      for (const fault of healed) {
        await findFault(fault.name).heal(this.#lab, fault.target);
        this.#active = this.#active.filter((other) => other !== fault);
      }
      return healed;
    });
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

/** Finds a fault by name. Throws InputError with the list of names when there is none. */
export function findFault(name: string): Fault {
  const fault = faults.find((candidate) => candidate.name === name);
  if (fault !== undefined) return fault;
  throw new InputError([
    {
      reason: 'UnknownFault',
      message: `there is no fault ${name === '' ? '""' : name}`,
      expected: faults.map((known) => known.name).join(', '),
      fix: didYouMean(
        name,
        faults.map((known) => known.name),
        'name one of these',
      ),
    },
  ]);
}

function checkTarget(fault: Fault, targets: readonly string[], target: string | undefined): string {
  const hit = target ?? targets[0];
  if (hit !== undefined && targets.includes(hit)) return hit;
  throw new InputError([
    {
      reason: 'UnknownTarget',
      message: `${fault.name} cannot hit ${target ?? 'anything here'}`,
      expected: targets.length === 0 ? 'a lab that was started with --kubernetes' : targets.join(', '),
      fix:
        targets.length === 0 ? 'start the lab with --kubernetes' : didYouMean(hit ?? '', targets, 'name one of these'),
    },
  ]);
}
