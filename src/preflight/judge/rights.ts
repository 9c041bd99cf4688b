import { type Right, rightText } from '../../kube/rights.ts';
import { systemNamespace } from '../../model/contract.ts';
import type { Agent } from '../agents.ts';
import { bindingName, count, type Finding, failed, names, ok, quote, warning } from '../finding.ts';
import type { Identity } from './credentials.ts';

/** A rule of a SelfSubjectRulesReview. */
export interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/**
 * The rights of an identity: `everywhere` by bindings of the whole cluster, `inSystem` by those and the bindings of
 * tideline-system.
 */
export interface Granted {
  readonly everywhere: readonly Rule[];
  readonly inSystem: readonly Rule[];
  /** True when an authoriser (a webhook) does not list what it allows, so that there may be more rights. */
  readonly incomplete?: boolean;
}

/** One verb of a right. */
export interface SingleRight {
  readonly verb: string;
  readonly right: Right;
}

/**
 * Rights that no listed rule grants. An authoriser that does not list its rules may still allow them, so each must be asked
 * for.
 */
export function unlistedRights(rights: readonly Right[], granted: Granted): readonly SingleRight[] {
  return rights.flatMap((right) => {
    const rules = right.namespace === systemNamespace ? granted.inSystem : granted.everywhere;
    return right.verbs
      .filter((verb) => !rules.some((rule) => allows(rule, verb, right)))
      .map((verb) => ({ verb, right }));
  });
}

function allows(
  { verbs, apiGroups = [], resources = [], resourceNames = [] }: Rule,
  verb: string,
  right: Right,
): boolean {
  const [, subresource] = right.resource.split('/');
  const named = resourceNames.length === 0 || (right.names ?? []).some((name) => resourceNames.includes(name));
  return (
    named &&
    holds(verbs, verb) &&
    holds(apiGroups, right.apiGroup) &&
    (holds(resources, right.resource) || (subresource !== undefined && resources.includes(`*/${subresource}`)))
  );
}

/** Judges whether the identity has every right that the agent needs. */
export function judgeRights(agent: Agent, denied: readonly SingleRight[], who: Identity, rbac: string): Finding {
  const check = `rights-${agent}` as const;
  const [first] = denied;
  if (first === undefined) return ok(check, `${who.username} may do all that the ${agent} agent does`);
  const list = denied.map(
    ({ verb, right }) => `${rightText(verb, right)}${right.namespace === undefined ? '' : ` in ${right.namespace}`}`,
  );
  return failed(check, 'RightsMissing', {
    found: `${who.username} may not ${names(list)}`,
    expected: `${count(denied.length, 'more right')}; the first is for ${first.right.why}`,
    fix: fixOf(agent, who, rbac, denied),
  });
}

function fixOf(agent: Agent, who: Identity, rbac: string, denied: readonly SingleRight[]): string {
  const role = `tideline-${agent}`;
  const apply = `kubectl apply --server-side --force-conflicts -k ${quote(rbac)}`;
  const member =
    who.groups.includes(`tideline:${agent}`) || who.username === `system:serviceaccount:${systemNamespace}:${role}`;
  // The rules for Calico in deploy/rbac are for its other group, crd.projectcalico.org.
  const v3 = denied.filter(({ right }) => right.apiGroup === 'projectcalico.org');
  if (member) return v3.length === 0 ? apply : addRule(role, v3);
  const name = bindingName(role, who.username);
  const user = `--user=${quote(who.username)}`;
  const everywhere = denied.some(({ right }) => right.namespace === undefined);
  const inside = denied.some(({ right }) => right.namespace !== undefined);
  return [
    apply,
    ...(everywhere ? [`kubectl create clusterrolebinding ${name} --clusterrole=${role} ${user}`] : []),
    ...(inside ? [`kubectl create rolebinding ${name} --namespace=${systemNamespace} --role=${role} ${user}`] : []),
  ].join(' && ');
}

function addRule(role: string, needs: readonly SingleRight[]): string {
  const unique = (list: readonly string[]) => [...new Set(list)].toSorted();
  const value = {
    apiGroups: unique(needs.map(({ right }) => right.apiGroup)),
    resources: unique(needs.map(({ right }) => right.resource)),
    verbs: unique(needs.map(({ verb }) => verb)),
  };
  const patch = JSON.stringify([{ op: 'add', path: '/rules/-', value }]);
  return `kubectl patch clusterrole ${role} --type=json -p '${patch}'`;
}

/** The rights of every authenticated identity (system:basic-user). */
const everyone: readonly Right[] = [
  { apiGroup: 'authentication.k8s.io', resource: 'selfsubjectreviews', verbs: ['create'], why: '' },
  { apiGroup: 'authorization.k8s.io', resource: 'selfsubjectaccessreviews', verbs: ['create'], why: '' },
  { apiGroup: 'authorization.k8s.io', resource: 'selfsubjectrulesreviews', verbs: ['create'], why: '' },
];

/** Judges whether the identity has more rights than needed: a lost kubeconfig should grant no more than the agent's own. */
export function judgeExcess(needed: readonly Right[], granted: Granted, who: Identity): Finding {
  const known = [...needed, ...everyone];
  const extra = new Set([...granted.everywhere, ...granted.inSystem].flatMap((rule) => excessOf(rule, known)));
  const doubt = granted.incomplete === true ? ', as far as the server lists it' : '';
  if (extra.size === 0) return ok('rights-excess', `${who.username} may do no more than that${doubt}`);
  const list = [...extra].toSorted();
  const all = list.includes('* *.*');
  return warning('rights-excess', 'RightsTooWide', {
    found: `${who.username} may also ${all ? 'do everything: it is an administrator' : names(list)}`,
    expected: 'a kubeconfig of its own for each agent, with the rights of deploy/rbac and no more',
    fix: `kubectl get clusterrolebindings,rolebindings -A -o wide | grep -F ${quote(grepFor(who))}`,
  });
}

function grepFor({ username, groups }: Identity): string {
  return groups.includes('system:masters') ? 'system:masters' : username;
}

function excessOf({ verbs, apiGroups = [], resources = [] }: Rule, known: readonly Right[]): readonly string[] {
  return apiGroups.flatMap((apiGroup) =>
    resources.flatMap((resource) => {
      const needs = new Set(
        known.flatMap((right) => (right.apiGroup === apiGroup && right.resource === resource ? right.verbs : [])),
      );
      // An identity that may list sees every object already.
      if (needs.has('list')) needs.add('get');
      return verbs
        .filter((verb) => !needs.has(verb))
        .map((verb) => (apiGroup === '*' ? `${verb} ${resource}.*` : rightText(verb, { apiGroup, resource })));
    }),
  );
}

function holds(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}
