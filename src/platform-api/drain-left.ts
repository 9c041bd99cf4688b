import { z } from 'zod';
import {
  bladesOfDrain,
  type Left,
  type LeftTogether,
  leftOfBlade,
  leftOfWorker,
  leftTogether,
  silentServer,
} from '../model/platform/drain-left.ts';
import { isInForce } from '../model/platform/drains.ts';
import type { Drain } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { messageOf } from '../model/values.ts';
import type { Clock } from '../runtime/clock.ts';

export interface DrainLeftsOptions {
  /** The platform in force. */
  readonly platform: () => Platform;
  /** False while another agent writes: then nobody is asked. */
  readonly isWriting: () => boolean;
  /** The status of a blade; undefined when it does not answer. */
  readonly askBlade: (name: string, address: string) => Promise<unknown>;
  /** The status of a worker of the own cluster; undefined when it does not answer. Rejects with the cause when it cannot be asked. */
  readonly askWorker: (node: string) => Promise<unknown>;
  readonly clock: Clock;
}

/** So long an answer counts, and so often all are asked. */
const everyMs = 5000;
const staleMs = 20_000;

interface Known {
  readonly left: LeftTogether;
  readonly askedMs: number;
}

/** Asks the agents that the Drains of an API concern what they still do, while somebody wants to know. */
export class DrainLefts {
  readonly #options: DrainLeftsOptions;
  readonly #known = new Map<string, Known>();
  #asking: Promise<void> | undefined;
  #askedMs = -Infinity;

  constructor(options: DrainLeftsOptions) {
    this.#options = options;
  }

  /** What is left of each of these Drains, as far as it is known; asks anew where that is too old, and does not wait. */
  of(names: readonly string[]): ReadonlyMap<string, LeftTogether> {
    const { clock, isWriting } = this.#options;
    const now = clock.monotonic();
    if (!isWriting()) this.#known.clear();
    else if (this.#asking === undefined && names.length > 0 && now - this.#askedMs >= everyMs) {
      this.#askedMs = now;
      this.#asking = this.#ask(names).finally(() => {
        this.#asking = undefined;
      });
    }
    const fresh = names.flatMap((name) => {
      const known = this.#known.get(name);
      return known === undefined || now - known.askedMs > staleMs ? [] : [[name, known.left] as const];
    });
    return new Map(fresh);
  }

  async #ask(names: readonly string[]): Promise<void> {
    const { platform, clock } = this.#options;
    const askedMs = clock.monotonic();
    const whole = platform();
    const asked = new Map<string, Promise<Left>>();
    const once = (server: string, ask: () => Promise<Left>): Promise<Left> => {
      const going = asked.get(server) ?? ask();
      asked.set(server, going);
      return going;
    };
    for (const name of this.#known.keys()) if (!names.includes(name)) this.#known.delete(name);
    await Promise.all(
      names.map(async (name) => {
        const drain = whole.drains.get(name);
        if (drain === undefined || !isInForce(drain, clock.now())) return this.#known.delete(name);
        const left = leftTogether(await Promise.all(this.#servers(whole, drain).map(([key, ask]) => once(key, ask))));
        return this.#known.set(name, { left, askedMs });
      }),
    );
  }

  #servers(platform: Platform, drain: Drain): readonly (readonly [key: string, ask: () => Promise<Left>])[] {
    const { kind, name } = drain.spec.target;
    if (kind === 'Worker') return [[`worker ${name}`, () => this.#worker(name)]];
    const names = bladesOfDrain(platform, drain, this.#options.clock.now());
    const blades = [...platform.edgePools.values()].flatMap(({ spec }) => spec.blades);
    return blades
      .filter((blade) => names.has(blade.name))
      .map((blade) => [`blade ${blade.name}`, () => this.#blade(blade.name, blade.address.text)] as const);
  }

  async #blade(name: string, address: string): Promise<Left> {
    const answer = await this.#options.askBlade(name, address);
    if (answer === undefined) return silentServer(name, 'does not answer');
    const read = bladeAnswer.safeParse(answer);
    if (!read.success || read.data.blade !== name) return silentServer(name, unreadable);
    return leftOfBlade(name, read.data);
  }

  async #worker(name: string): Promise<Left> {
    const answer = await this.#options.askWorker(name).catch(messageOf);
    if (typeof answer === 'string') return silentServer(name, answer);
    if (answer === undefined) return silentServer(name, 'does not answer');
    const read = workerAnswer.safeParse(answer);
    if (!read.success || read.data.node !== name) return silentServer(name, unreadable);
    return leftOfWorker(name, read.data);
  }
}

const unreadable = 'has an agent whose answer is not understood';

const text = z.string();
const bladeAnswer = z.object({
  agent: z.literal('edge'),
  blade: text,
  draining: z.boolean(),
  vips: z.array(z.object({ address: text, announced: z.boolean(), reasons: z.array(text).optional() })),
  nginx: z.object({ activeConnections: z.number() }).optional(),
  requestsPerSecond: z.number().optional(),
  bgp: z.object({ relay: text }),
});
const workerAnswer = z.object({
  agent: z.literal('network'),
  node: text,
  action: text,
  reason: text.optional(),
  announced: z.array(z.object({ class: text.optional() })),
  notices: z.array(z.object({ reason: text, message: text, count: z.number().optional() })).default([]),
  relay: text,
});
