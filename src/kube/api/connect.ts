import type { Clock } from '../../runtime/clock.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Registry } from '../../runtime/metrics.ts';
import { createClientMetrics } from '../metrics.ts';
import { type InCluster, InClusterAccess } from './access/incluster.ts';
import type { KubeClient } from './client.ts';
import { HttpKubeClient } from './http-client.ts';

export interface ConnectOptions {
  /** A file; read again when it or what it names changes. */
  readonly kubeconfig?: string;
  /** A context of the kubeconfig; absent: its current one. */
  readonly context?: string | undefined;
  /** The identity of the pod we run in, used when no kubeconfig is given. */
  readonly inCluster?: InCluster;
  readonly clock?: Clock;
  readonly registry?: Registry;
}

/** Only messages need to know the server so early. */
const patienceMs = 2000;

/**
 * A client of one kube-apiserver. Asks nothing yet, and does not fail when the kubeconfig cannot be read: that is a state
 * (`NoCredentials`) that ends when the file is repaired; nor does it wait for a plugin that hangs. Throws only when told neither kubeconfig nor identity.
 */
export async function connect(options: ConnectOptions): Promise<KubeClient> {
  const { kubeconfig, context, inCluster, clock = systemClock } = options;
  if (kubeconfig === undefined && inCluster === undefined)
    throw new Error('neither a kubeconfig nor the identity of a pod: KUBERNETES_SERVICE_HOST is not set');
  const access =
    kubeconfig !== undefined
      ? new (await import('./access/kubeconfig.ts')).KubeconfigAccess({ file: kubeconfig, context, clock })
      : new InClusterAccess(inCluster ?? { host: '', port: '' }, clock);
  const unknown = kubeconfig ?? 'the cluster we run in';
  const late = Promise.withResolvers<string>();
  const timer = clock.setTimeout(() => late.resolve(unknown), patienceMs);
  const read = access.read().then(
    (now) => now.server,
    () => unknown,
  );
  const server = await Promise.race([read, late.promise]);
  timer.cancel();
  const metrics = createClientMetrics(options.registry, () => access.reloads);
  return new HttpKubeClient({ access, server, metrics });
}
