import { Counter, Gauge, type Registry } from '../../runtime/metrics.ts';

/** The metrics of what we write to a cluster, and of leadership. */
export interface WriteMetrics {
  readonly writes: Counter<'kind' | 'result'>;
  /** The number of objects whose status is not as it should be. */
  readonly waiting: Gauge;
  /** The number of objects of which another manager owns a field that we would write. */
  readonly ownedByOther: Gauge;
  /** How often somebody undid what we wrote. */
  readonly undone: Counter;
  readonly events: Counter<'result'>;
  readonly eventsWaiting: Gauge;
  readonly leading: Gauge;
  readonly transitions: Counter;
}

/** The metrics of leadership alone, for an agent that writes nothing else to its cluster. */
export function leaderMetrics(registry: Registry): Pick<WriteMetrics, 'leading' | 'transitions'> {
  const registers = [registry];
  return {
    leading: new Gauge({
      name: 'tideline_kube_leading',
      help: '1 while this agent leads, that is, writes for all agents of its sort',
      registers,
    }),
    transitions: new Counter({
      name: 'tideline_kube_leadership_gained_total',
      help: 'Times that this agent became the leader',
      registers,
    }),
  };
}

export function writeMetrics(registry: Registry): WriteMetrics {
  const registers = [registry];
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name: `tideline_kube_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string): Gauge => new Gauge({ name: `tideline_kube_${name}`, help, registers });
  return {
    writes: counter('status_writes_total', 'Writes of a status, by kind of object and result', ['kind', 'result']),
    waiting: gauge('status_waiting', 'Objects whose status is not what it should be'),
    ownedByOther: gauge(
      'status_owned_by_other',
      'Objects whose status another field manager owns; they are left alone',
    ),
    undone: counter('status_undone_total', 'Times that somebody undid a status that we wrote'),
    events: counter('event_writes_total', 'Events sent, by result; dropped: there were too many', ['result']),
    eventsWaiting: gauge('event_writes_waiting', 'Events that wait for their turn'),
    ...leaderMetrics(registry),
  };
}
