import { withoutUndefined } from '../../model/values.ts';
import type { Clock } from '../../runtime/clock.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Registry } from '../../runtime/metrics.ts';
import { createClientMetrics } from '../metrics.ts';
import { CredentialEnd } from './access/end.ts';
import { type InCluster, InClusterAccess } from './access/incluster.ts';
import type { KubeClient } from './client.ts';
import { HttpKubeClient } from './http-client.ts';

export interface ConnectOptions {
  /** The path of a kubeconfig. It is read again when it or a file that it names changes. */
  readonly kubeconfig?: string;
  /** A context of the kubeconfig; when absent, its current context. */
  readonly context?: string | undefined;
  /** The identity of the pod we run in, used when no kubeconfig is given. */
  readonly inCluster?: InCluster;
  readonly clock?: Clock;
  readonly registry?: Registry;
  /** Where the end of the credentials is announced. */
  readonly log?: Log;
}

/** How long `connect` waits for the server's name, which only messages need so early. */
const patienceMs = 2000;

/**
 * Makes a client of one kube-apiserver, and sends no request yet. A kubeconfig that cannot be read is no failure here: requests
 * fail with `NoCredentials` until the file is repaired. A plugin that hangs is not waited for. Throws only when the options name
 * neither a kubeconfig nor an identity.
 */
export async function connect(options: ConnectOptions): Promise<KubeClient> {
  const { kubeconfig, context, inCluster, clock = systemClock, registry, log } = options;
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
  const metrics = createClientMetrics(registry, () => access.reloads);
  const end = new CredentialEnd({ clock, ...withoutUndefined({ log, registry }) });
  return new HttpKubeClient({ access, server, metrics, end });
}
