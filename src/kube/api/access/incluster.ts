import { join } from 'node:path';
import type { Clock } from '../../../runtime/clock.ts';
import type { Access, AccessSource } from './access.ts';
import { WatchedFiles } from './files.ts';

export interface InCluster {
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
  readonly host: string;
  readonly port: string;
  /** The folder into which the kubelet puts `token` and `ca.crt`. Default `serviceAccountFolder`. */
  readonly folder?: string;
}

export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The identity of a pod: its ServiceAccount's token, which the kubelet renews on disk, and the cluster's authority. */
export class InClusterAccess implements AccessSource {
  readonly #server: string;
  readonly #folder: string;
  readonly #files: WatchedFiles;

  constructor({ host, port, folder = serviceAccountFolder }: InCluster, clock: Clock) {
    this.#server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#folder = folder;
    this.#files = new WatchedFiles(clock);
  }

  get reloads(): number {
    return this.#files.reloads;
  }

  async read(): Promise<Access> {
    const token = (await this.#files.read(join(this.#folder, 'token'))).trim();
    const ca = await this.#files.read(join(this.#folder, 'ca.crt'));
    return { server: this.#server, tls: { ca }, headers: { authorization: `Bearer ${token}` } };
  }

  forget(): void {
    this.#files.forget();
  }
}
