import type { DoubtPart, DoubtView } from '../model/status.ts';
import type { Clock } from './clock.ts';
import { Gauge, type Registry } from './metrics.ts';

/** What all parts of an agent doubt; the acceptances are in the order of their times. */
export function joined(parts: readonly DoubtPart[]): DoubtPart {
  return {
    doubts: parts.flatMap(({ doubts }) => doubts),
    accepted: parts.flatMap(({ accepted }) => accepted).toSorted((a, b) => a.atMs - b.atMs),
  };
}

/** Exports how many doubts there are, and how old the oldest is, by reason. */
export function measureDoubts(registry: Registry, clock: Clock, doubts: () => readonly DoubtView[]): void {
  registry.registerMetric(
    new Gauge({
      name: 'tideline_doubts',
      help: 'Changes that the agent has seen and does not make because they look like mistakes, by reason',
      labelNames: ['reason'],
      registers: [],
      collect() {
        this.reset();
        for (const [reason, those] of byReason(doubts())) this.set({ reason }, those.length);
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: 'tideline_doubt_age_seconds',
      help: 'For how long the oldest of these doubts has stood, by reason; absent when there is none',
      labelNames: ['reason'],
      registers: [],
      collect() {
        this.reset();
        for (const [reason, those] of byReason(doubts()))
          this.set({ reason }, Math.max(0, clock.now() - Math.min(...those.map(({ sinceMs }) => sinceMs))) / 1000);
      },
    }),
  );
}

function byReason(doubts: readonly DoubtView[]): Map<string, DoubtView[]> {
  return Map.groupBy(doubts, ({ reason }) => reason);
}
