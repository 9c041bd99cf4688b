import type { Finding } from './finding.ts';
import { parityOfBlades } from './parity.ts';
import { lackClauses } from './parity-text.ts';
import type { AgentPart, EdgePart, PoolPart } from './snapshot.ts';

type Blade = { readonly name: string; readonly edge: EdgePart };
type Policy = EdgePart['policies'][number];

/**
 * The policies for which blades of a pool answer that they are not healthy. When each blade was asked and says so, DNS leads users
 * elsewhere, which is one finding of the cluster; a blade alone is a finding of its own.
 */
export function policyFindings(pool: PoolPart, agents: readonly AgentPart[]): readonly Finding[] {
  const parts = agents.filter(({ target }) => target.pool === pool.name);
  const blades = parts.flatMap((part): readonly Blade[] =>
    'edge' in part && !part.edge.draining ? [{ name: part.target.server, edge: part.edge }] : [],
  );
  const names = [...new Set(blades.flatMap(({ edge }) => edge.policies.map(({ policy }) => policy)))];
  return names.flatMap((name): readonly Finding[] => {
    const unhealthy = blades.flatMap(({ name: blade, edge }) =>
      edge.policies.filter(({ policy, healthy }) => policy === name && !healthy).map((policy) => ({ blade, policy })),
    );
    const [first] = unhealthy;
    if (first !== undefined && unhealthy.length === parts.length && parts.length > 1)
      return [{ severity: 'outage', subject: `cluster ${pool.cluster}`, what: ofCluster(first.policy) }];
    return unhealthy.map(({ blade, policy }) => ({ severity: 'fault', subject: blade, what: ofBlade(policy) }));
  });
}

function ofCluster(policy: Policy): string {
  return `is not healthy for policy ${policy.policy}: ${causeOf(policy)}; DNS leads users elsewhere`;
}

function ofBlade(policy: Policy): string {
  const cause = causeOf(policy);
  const said = `answers that policy ${policy.policy} is not healthy here`;
  return cause.startsWith('(') ? `${said} ${cause}` : `${said}: ${cause}`;
}

function causeOf({ reason, against = [] }: Policy): string {
  const services = [...new Set(against.map((key) => key.split('/').slice(0, 2).join('/')))];
  if (services.length === 0) return `(${reason})`;
  const more = services.length > 3 ? ` and ${services.length - 3} more` : '';
  const named = `${services.slice(0, 3).join(', ')}${more}`;
  return reason === 'BackendsUnreachable'
    ? `no connection is made to the endpoints of Service ${named} (${reason})`
    : `no endpoint of Service ${named} is ready (${reason})`;
}

/**
 * What clusters lack of the hosts of policies that name them. DNS may lead users there at any moment; where a policy is not healthy at all, that is
 * told already and nobody is led there.
 */
export function parityFindings(agents: readonly AgentPart[]): readonly Finding[] {
  const unhealthy = new Set(
    agents.flatMap((part) =>
      'edge' in part
        ? part.edge.policies.flatMap(({ policy, healthy }) => (healthy ? [] : [`${part.target.cluster} ${policy}`]))
        : [],
    ),
  );
  return parityOfBlades(agents)
    .filter(({ cluster, policy }) => !unhealthy.has(`${cluster} ${policy}`))
    .flatMap((view) =>
      lackClauses(view).map((what) => ({ severity: 'fault' as const, subject: `cluster ${view.cluster}`, what })),
    );
}

/** The clusters of which blades say what they have. */
export function clustersToldOf(agents: readonly AgentPart[]): ReadonlySet<string> {
  return new Set(parityOfBlades(agents).map(({ cluster }) => cluster));
}

/** How many objects are named for one reason, of each cluster: tenants write objects, and may make many mistakes. */
const mostOfReason = 3;

/** Problems that whoever opens the host is shown by the browser, whatever else is right. */
const felt: ReadonlySet<string> = new Set(['CertificateExpired', 'CertificateNotYetValid', 'CertificateHostMismatch']);

/** The objects of each cluster that are not served as they are written, whichever blades say so. */
export function objectFindings(agents: readonly AgentPart[]): readonly Finding[] {
  const told = agents.flatMap((part) =>
    'edge' in part ? (part.edge.refused ?? []).map((one) => ({ ...one, cluster: part.target.cluster })) : [],
  );
  const objects = [...Map.groupBy(told, ({ cluster, object }) => `${cluster} ${object}`).values()].flatMap(([first]) =>
    first === undefined ? [] : [first],
  );
  const named = objects.flatMap(({ cluster, object, state, problems }) => {
    const problem = problems.find(({ reason }) => felt.has(reason)) ?? problems[0];
    return problem === undefined ? [] : [{ cluster, object, state, ...problem }];
  });
  return [...Map.groupBy(named, ({ cluster, reason }) => `${cluster} ${reason}`).values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const severity = felt.has(first.reason) ? ('fault' as const) : ('warning' as const);
    const findings = same.slice(0, mostOfReason).map(({ object, state, message, reason }) => ({
      severity,
      subject: object,
      what: `of cluster ${first.cluster} is ${state === 'refused' ? 'refused' : 'not served as it is written'}: ${message} (${reason})`,
    }));
    const more = same.length - findings.length;
    const rest = { severity, subject: `cluster ${first.cluster}`, what: `has ${more} more of these (${first.reason})` };
    return more === 0 ? findings : [...findings, rest];
  });
}
