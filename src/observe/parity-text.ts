import type { ParityView } from '../model/steering-status.ts';
import type { ParityReason } from './reasons.ts';

/** What a person does about a lack, by its reason; `why` shows the hop that is missing. */
const fixes: Readonly<Record<string, string>> = {
  HostNotServed: 'make an Ingress for it there, or take the cluster out of the policy',
  HostNotReady: 'bring its pods up there; tideline why host HOST FOLDER names what is missing',
  CertificateExpired: 'renew the Secret that its Ingress names there',
  CertificateNotYetValid: 'put a certificate that has begun into the Secret that its Ingress names there',
  CertificateHostMismatch: 'put a certificate for it into the Secret that its Ingress names there',
  CertificateNone: 'name a Secret with its certificate in spec.tls of its Ingress there',
};

const mostHosts = 3;
const unknownReason: ParityReason = 'HostsUnknown';

/** What one cluster lacks, a clause for each reason, to follow the name of the cluster. */
export function lackClauses({ policy, lacks, count }: ParityView): readonly string[] {
  const groups = [...Map.groupBy(lacks, ({ reason }) => reason)];
  const clauses = groups.map(([reason, some]) => {
    const names = [...new Set(some.map(({ host }) => host))];
    const more = names.length > mostHosts ? ` and ${names.length - mostHosts} more hosts` : '';
    const who = `${names.slice(0, mostHosts).join(', ')}${more}`;
    const fix = fixes[reason];
    return `lacks ${who} of TrafficPolicy/${policy}: ${some[0]?.message ?? ''} (${reason})${fix === undefined ? '' : `; ${fix}`}`;
  });
  const rest = count - lacks.length;
  return rest > 0 ? [...clauses, `lacks ${rest} more of the hosts of TrafficPolicy/${policy}`] : clauses;
}

/** Lines for people, lacks first; none where every cluster is known to have everything. */
export function renderParity(all: readonly ParityView[]): readonly string[] {
  const lacks = all.flatMap((view) => lackClauses(view).map((clause) => `! cluster ${view.cluster} ${clause}`));
  const unknown = all.flatMap(({ policy, cluster, unknown: some }) =>
    some.map(({ why, hosts, count }) => ({ cluster, why, policy, hosts, count })),
  );
  const lines = [...Map.groupBy(unknown, ({ cluster, why }) => `${cluster} ${why}`).values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const count = same.reduce((sum, one) => sum + one.count, 0);
    const names = same.flatMap(({ hosts }) => hosts).slice(0, mostHosts);
    const more = count > names.length ? ` and ${count - names.length} more` : '';
    return [
      `whether cluster ${first.cluster} has ${names.join(', ')}${more} is not known: ${first.why} (${unknownReason})`,
    ];
  });
  return [...lacks, ...lines];
}
