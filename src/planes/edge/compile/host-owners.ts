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

/** What became of an object; a condition of `compile.ts`. */
interface Judged {
  readonly object: string;
  readonly state: 'accepted' | 'partial' | 'refused';
  readonly problems: readonly EdgeProblem[];
}

/** The conditions with a problem for each owner whose host presents a certificate of another namespace. */
export function withForeignCertificates(
  conditions: readonly Judged[],
  foreign: readonly ForeignCertificate[],
): readonly Judged[] {
  if (foreign.length === 0) return conditions;
  const byOwner = Map.groupBy(foreign, ({ owner }) => `Ingress/${owner}`);
  return conditions.map((condition) => {
    const problems = (byOwner.get(condition.object) ?? []).map(({ host, giver }): EdgeProblem => {
      const message = `${host} has its certificate from Ingress ${giver} of another namespace`;
      return { reason: 'TlsForeign', object: condition.object, path: 'spec.tls', message };
    });
    if (problems.length === 0) return condition;
    const state = condition.state === 'accepted' ? 'partial' : condition.state;
    return { ...condition, state, problems: [...condition.problems, ...problems] };
  });
}

function namespaceOf(key: ObjectKey): string {
  return key.slice(0, key.indexOf('/'));
}
