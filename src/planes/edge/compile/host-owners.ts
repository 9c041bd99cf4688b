import type { ObjectKey } from '../../../kube/objects/metadata.ts';
import type { EdgeProblem } from '../reasons.ts';

/** Which Ingress owns a host: the oldest that has a route on it. */
export class HostOwners {
  readonly #owners = new Map<string, ObjectKey>();

  /** Takes the hosts on which an Ingress won a route; Ingresses must come oldest first. */
  add(ingress: ObjectKey, hosts: ReadonlySet<string>): void {
    for (const host of hosts) if (!this.#owners.has(host)) this.#owners.set(host, ingress);
  }

  /** The Ingress that owns the host, if that is in another namespace than this one. */
  foreignOwner(host: string, ingress: ObjectKey): ObjectKey | undefined {
    const owner = this.#owners.get(host);
    return owner === undefined || namespaceOf(owner) === namespaceOf(ingress) ? undefined : owner;
  }
}

/** A host that presents a certificate which an Ingress of another namespace than its owner's gave it. */
export interface ForeignCertificate {
  readonly host: string;
  readonly owner: ObjectKey;
  readonly giver: ObjectKey;
}

/** The problem of each owner whose host presents a certificate of another namespace. */
export function foreignCertificateProblems(foreign: readonly ForeignCertificate[]): readonly EdgeProblem[] {
  return foreign.map(({ host, owner, giver }) => {
    const message = `${host} has its certificate from Ingress ${giver} of another namespace`;
    return { reason: 'TlsForeign', object: `Ingress/${owner}`, path: 'spec.tls', message };
  });
}

function namespaceOf(key: ObjectKey): string {
  return key.slice(0, key.indexOf('/'));
}
