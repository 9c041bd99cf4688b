/** An answer of Prometheus to an instant query. */
export interface Vector {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
  };
}

/** What Prometheus saw in a while in which nobody touched the lab. */
export interface Watched {
  readonly seconds: number;
  /** How often each alert was seen in each state; it is looked at every second. */
  readonly alerts: Vector;
  /** How often each agent was asked, by agent. */
  readonly asked: Vector;
  /** How many agents there are. */
  readonly agents: number;
}

/** Of the times that an agent should have been asked; a busy machine loses some. */
const leastAsked = 0.8;

/**
 * Whether it was quiet, and the lines that say so (pure). Alerts that were pending and never fired are told and no failure: that is what their
 * waits are for. A Prometheus that did not look has seen nothing, and that is a failure.
 */
export function quietVerdict(watched: Watched): { readonly isQuiet: boolean; readonly lines: readonly string[] } {
  const { seconds, agents } = watched;
  const seen = resultOf(watched.alerts);
  const inState = (state: string) =>
    seen
      .filter(({ metric }) => metric['alertstate'] === state)
      .map(({ metric, value }) => `${metric['alertname']} ${metric['cluster'] ?? ''}`.trim().concat(`, ${value[1]} s`))
      .toSorted();
  const [fired, pending] = [inState('firing'), inState('pending')];
  const asked = resultOf(watched.asked).map(({ value }) => Number(value[1]));
  const enough = asked.filter((times) => times >= seconds * leastAsked).length;
  const blind = enough < agents ? [`NOT WATCHED: only ${enough} of ${agents} agents were asked all the time`] : [];
  return {
    isQuiet: fired.length === 0 && blind.length === 0,
    lines: [
      ...blind,
      ...fired.map((text) => `FIRED: ${text}`),
      ...pending.map((text) => `pending, within its wait: ${text}`),
      `${Math.round(seconds / 60)} minutes, ${agents} agents, each asked ${Math.min(...asked, Infinity)} times or more: ${fired.length} alerts fired, ${pending.length} were pending`,
    ],
  };
}

function resultOf({ status, error, data }: Vector) {
  if (data === undefined) throw new Error(`Prometheus answers ${status}: ${error ?? ''}`);
  return data.result;
}
