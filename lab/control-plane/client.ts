import { readFile } from 'node:fs/promises';
import type { ComponentClient } from './checks.ts';
import { certificateOf, keyOf, type Pki } from './pki/pki.ts';
import type { Place } from './place.ts';
import { ports } from './ports.ts';
import { type Answer, sendRequest } from './request.ts';

/** Asks the components of a control plane, each with the credentials that it wants, from the place where it lives. */
export class AuthenticatedClient implements ComponentClient {
  readonly #place: Place;
  readonly #pki: Pki;
  /** The administrator's certificate and the authority that signed it; both are replaced after a rotation. */
  #administrator: { readonly authority: string; readonly certificate: string; readonly key: string } | undefined;

  constructor(place: Place, pki: Pki) {
    this.#place = place;
    this.#pki = pki;
  }

  /** Asks the apiserver, as the administrator. */
  apiserver(path: string, method = 'GET', body?: unknown): Promise<Answer> {
    const authority = this.#pki.authority();
    if (this.#administrator?.authority !== authority.certificate) {
      const issued = authority.issue({ commonName: 'kubernetes-admin', organisations: ['system:masters'] });
      this.#administrator = { authority: authority.certificate, ...issued };
    }
    const target = {
      host: this.#place.address,
      port: ports.apiserver,
      authority: authority.certificate,
      client: this.#administrator,
    };
    return sendRequest(this.#place, target, method, path, body);
  }

  async etcd(path: string, method = 'GET', body?: unknown): Promise<Answer> {
    const { etcdAuthority, etcdClient } = this.#pki.files;
    const [authority, certificate, key] = await Promise.all(
      [certificateOf(etcdAuthority), certificateOf(etcdClient), keyOf(etcdClient)].map((file) =>
        readFile(file, 'utf8'),
      ),
    );
    const target = {
      host: this.#place.innerAddress,
      port: ports.etcd,
      authority: authority ?? '',
      client: { certificate: certificate ?? '', key: key ?? '' },
    };
    return sendRequest(this.#place, target, method, path, body);
  }

  component(port: number, path: string): Promise<Answer> {
    const target = { host: this.#place.innerAddress, port, authority: this.#pki.authority().certificate };
    return sendRequest(this.#place, target, 'GET', path);
  }
}
