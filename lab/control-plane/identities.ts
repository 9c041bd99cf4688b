import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withoutUndefined } from '../../src/model/values.ts';
import type { Identity } from './control-plane.ts';
import { type KubeconfigContent, writeKubeconfig } from './kubeconfig.ts';
import type { Pki } from './pki/pki.ts';
import { ports } from './ports.ts';

type Content = Omit<KubeconfigContent, 'authority'>;

/** Writes every kubeconfig of a control plane, and can write all of them again in place for a new authority. */
export class Identities {
  readonly url: string;
  readonly #folder: string;
  readonly #pki: Pki;
  readonly #written: { readonly owner: 'component' | 'client'; readonly write: () => Promise<void> }[] = [];
  #next = 1;

  constructor(folder: string, address: string, pki: Pki) {
    this.#folder = folder;
    this.#pki = pki;
    this.url = `https://${address.includes(':') ? `[${address}]` : address}:${ports.apiserver}`;
  }

  /** Writes `admin.kubeconfig`, which counts as a client's. */
  writeForAdministrator(): Promise<string> {
    const identity = { user: 'kubernetes-admin', groups: ['system:masters'] };
    return this.#write('admin', 'client', this.#certificateContent(identity, {}));
  }

  async writeForComponents(): Promise<{ readonly controllerManager: string; readonly scheduler: string }> {
    const of = (name: string): Promise<string> =>
      this.#write(name, 'component', this.#certificateContent({ user: `system:${name}` }, {}));
    const [controllerManager, scheduler] = await Promise.all([of('kube-controller-manager'), of('kube-scheduler')]);
    return { controllerManager, scheduler };
  }

  /** Writes a kubeconfig with a client certificate, in a file of its own. */
  writeWithCertificate(
    identity: Identity,
    options: { readonly validSeconds?: number; readonly server?: string },
  ): Promise<string> {
    return this.#write(this.#uniqueName(identity.user), 'client', this.#certificateContent(identity, options));
  }

  writeWithToken(user: string, token: string): Promise<string> {
    const content = (): Content => ({ server: this.url, user, credential: { token } });
    return this.#write(this.#uniqueName(user), 'client', content);
  }

  /** Writes kubeconfigs again in place, with the present authority and new certificates under it. */
  async rewrite(which: 'components' | 'all'): Promise<void> {
    const chosen = this.#written.filter(({ owner }) => which === 'all' || owner === 'component');
    await Promise.all(chosen.map(({ write }) => write()));
  }

  #certificateContent(
    identity: Identity,
    options: { readonly validSeconds?: number; readonly server?: string },
  ): () => Content {
    return () => ({
      server: options.server ?? this.url,
      user: identity.user,
      credential: this.#pki.authority().issue({
        commonName: identity.user,
        organisations: identity.groups ?? [],
        ...withoutUndefined({ validSeconds: options.validSeconds }),
      }),
    });
  }

  #uniqueName(user: string): string {
    return `${user.replaceAll(/[^A-Za-z0-9.-]/g, '-')}-${this.#next++}`;
  }

  async #write(name: string, owner: 'component' | 'client', content: () => Content): Promise<string> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = join(this.#folder, `${name}.kubeconfig`);
    const write = (): Promise<void> =>
      writeKubeconfig(file, { ...content(), authority: this.#pki.authority().certificate });
    this.#written.push({ owner, write });
    await write();
    return file;
  }
}
