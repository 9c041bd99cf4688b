import { compareText, withoutUndefined } from '../../src/model/values.ts';
import { fetchJson } from './fetch.ts';
import type { ViewPort } from './port.ts';

/** An alert that fires, of a cluster where it names one; alerts of several servers of a cluster are one. */
export interface AlertView {
  readonly name: string;
  readonly cluster?: string;
  readonly severity: string;
  /** When what it warns of began, ms since the epoch. */
  readonly sinceMs: number;
}

/** The answer of Prometheus, as far as it is read. */
export interface PrometheusAlerts {
  readonly data: {
    readonly alerts: readonly {
      readonly state: string;
      readonly activeAt: string;
      readonly labels: Readonly<Record<string, string>>;
    }[];
  };
}

/** The alerts that fire now; undefined when the lab has no Prometheus, or it does not answer. */
export async function alertViews({ alerts }: Pick<ViewPort, 'alerts'>): Promise<readonly AlertView[] | undefined> {
  if (alerts === undefined) return undefined;
  const answer = await fetchJson<PrometheusAlerts>(`http://${alerts}/api/v1/alerts`).catch(() => undefined);
  return answer === undefined ? undefined : firing(answer);
}

/** The alerts that fire, the oldest first (pure). */
export function firing({ data }: PrometheusAlerts): readonly AlertView[] {
  const active = data.alerts.filter(({ state }) => state === 'firing');
  const grouped = Map.groupBy(active, ({ labels }) => `${labels['alertname']} ${labels['cluster'] ?? ''}`);
  const views = [...grouped.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const { alertname = '', severity = '', cluster } = first.labels;
    const sinceMs = Math.min(...same.map(({ activeAt }) => Date.parse(activeAt)));
    return [{ name: alertname, severity, sinceMs, ...withoutUndefined({ cluster }) }];
  });
  return views.toSorted((a, b) => a.sinceMs - b.sinceMs || compareText(a.name, b.name));
}

/** The alerts that fired at some time between two moments (ms since the epoch), each as `name cluster`. */
export async function alertsFired(
  { alerts }: Pick<ViewPort, 'alerts'>,
  fromMs: number,
  toMs: number,
): Promise<readonly string[]> {
  if (alerts === undefined) return [];
  const seconds = Math.max(1, Math.ceil((toMs - fromMs) / 1000));
  const query = `count by (alertname, cluster) (last_over_time(ALERTS{alertstate="firing"}[${seconds}s]))`;
  const words = new URLSearchParams({ query, time: String(toMs / 1000) }).toString();
  const { data } = await fetchJson<{
    readonly data: { readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[] };
  }>(`http://${alerts}/api/v1/query?${words}`);
  return data.result.map(({ metric }) => `${metric['alertname']} ${metric['cluster'] ?? ''}`.trim()).toSorted();
}
