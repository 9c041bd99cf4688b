import { z } from 'zod';
import { ask } from '../ask.ts';
import type { Gate } from '../handlers.ts';
import { type FleetWorld, serversOf } from '../world.ts';
import { missing, unheard } from './texts.ts';

/** What `tideline_health.requests` says: answered since nginx started, and with 500 and more. */
export const Requests = z.object({ requests: z.number(), failed: z.number() });
export type Requests = z.infer<typeof Requests>;

/** By so much the share of failing requests may be above the one before. */
const margin = 0.01;
/** Requests are counted for so long, and so many at least say something. */
const windowMs = 10_000;
const enough = 20;

interface Counting {
  /** What counts as usual. */
  readonly usual: Requests;
  readonly startedMs: number;
  readonly counts: ReadonlyMap<string, Requests>;
}

/**
 * The blades of the cluster answer no more requests with 500 and more than before the wave, by a margin. The share before is that of all requests since each nginx started, as it was when the gate first asked for this wave: it is there also
 * after a crash of the run, and a wave is short beside it. Counters that fell belong to an nginx that started anew.
 */
export function errorRate(world: FleetWorld): Gate {
  const known = new Map<string, Counting>();
  return async (_, context) => {
    const { cluster, servers } = context.wave;
    const blades = serversOf(world, cluster, 'blade');
    if (blades.length === 0) return undefined;
    const { said, problems } = await ask(context, blades, 'tideline_health.requests', Requests);
    const key = [cluster, ...servers].join(' ');
    const startedMs = world.clock.monotonic();
    const counting = known.get(key);
    if (counting === undefined || startedMs - counting.startedMs < windowMs) {
      if (counting === undefined) known.set(key, { usual: sum(said.values()), startedMs, counts: said });
      return `requests of ${cluster} are counted for ${windowMs / 1000} s`;
    }
    const { usual, counts } = counting;
    const wrong = missing([...unheard(problems), ...judgeErrors(usual, counts, said)]);
    // What is wrong now may be over in the next window.
    known.set(key, { usual, startedMs, counts: said });
    return wrong;
  };
}

/** What is wrong with the requests between two looks at the counters of the same blades. */
export function judgeErrors(
  usual: Requests,
  before: ReadonlyMap<string, Requests>,
  after: ReadonlyMap<string, Requests>,
): readonly string[] {
  const during = sum([...after].map(([blade, now]) => since(now, before.get(blade))));
  if (during.requests < enough || share(during) <= share(usual) + margin) return [];
  return [`${percent(share(during))} of ${during.requests} requests failed, and ${percent(share(usual))} before`];
}

function since(now: Requests, then: Requests | undefined): Requests {
  if (then === undefined || now.requests < then.requests) return now;
  return { requests: now.requests - then.requests, failed: Math.max(0, now.failed - then.failed) };
}

function sum(all: Iterable<Requests>): Requests {
  return [...all].reduce(
    (total, { requests, failed }) => ({ requests: total.requests + requests, failed: total.failed + failed }),
    { requests: 0, failed: 0 },
  );
}

const share = ({ requests, failed }: Requests): number => (requests === 0 ? 0 : failed / requests);
const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
