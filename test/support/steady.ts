import { join } from 'node:path';
import { place } from '../../lab/fleet/router.ts';
import { apiVip } from '../../lab/fleet/spec.ts';
import type { BootedCluster } from './booted-cluster.ts';

/** What became of the requests of a client beside the router. */
export interface SteadyReport {
  readonly requests: number;
  readonly slowestMs: number;
  readonly failures: readonly { readonly begun: number; readonly ended: number; readonly what: string }[];
  /** When the router changed a route to the address: by then it knows of a withdrawal. A connection that is open may lose its server. */
  readonly changes: readonly number[];
}

/** Between a change of a route and our knowledge of it. */
const noticedMs = 200;

/** Starts a client beside the router that asks this URL all the time; resolves, when it is told to end, with what it saw. */
export function startSteady(
  { network }: Pick<BootedCluster, 'network'>,
  url: string,
  { host = '', kubeconfig }: { readonly host?: string; readonly kubeconfig?: string },
): () => Promise<SteadyReport> {
  const program = join(import.meta.dirname, 'steady-client.ts');
  const args = [program, url, host, ...(kubeconfig === undefined ? [] : [kubeconfig])];
  const child = network.spawn(place.namespace, process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const changes = watchRoutes(network, new URL(url).hostname);
  return async () => {
    child.stdin?.end();
    await ended;
    return { ...(JSON.parse(text) as Omit<SteadyReport, 'changes'>), changes: changes() };
  };
}

/** Starts to watch the router's routes to an address; gives the times of their changes when it is told to end. */
function watchRoutes(network: BootedCluster['network'], address: string): () => readonly number[] {
  const times: number[] = [];
  const child = network.spawn(place.namespace, 'ip', ['monitor', 'route'], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    if (part.includes(address)) times.push(Date.now());
  });
  return () => {
    child.kill();
    return times;
  };
}

/** Failures of requests during which no route was changed: those that a withdrawal ahead of a stop is there to prevent. */
export const lost = ({ failures, changes }: SteadyReport): SteadyReport['failures'] =>
  failures.filter(({ begun, ended }) => !changes.some((at) => at >= begun - noticedMs && at <= ended));

/** The same for the API of the cluster, through its VIP, which must answer by what etcd has. */
export const startAsking = (cluster: BootedCluster): (() => Promise<SteadyReport>) =>
  startSteady(cluster, `https://${apiVip}:6443/api/v1/namespaces/kube-system`, {
    kubeconfig: join(cluster.folder, 'operator.kubeconfig'),
  });

/** One line for people. */
export function said({ requests, slowestMs, failures }: SteadyReport): string {
  const kinds = new Map<string, number>();
  for (const { what } of failures) kinds.set(what, (kinds.get(what) ?? 0) + 1);
  const list = [...kinds].map(([what, count]) => `${count} × ${what}`).join(', ');
  return `${failures.length} of ${requests} requests failed${list === '' ? '' : ` (${list})`}, the slowest answer took ${slowestMs} ms`;
}
