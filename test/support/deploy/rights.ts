import type { AuditEvent, ControlPlane } from '../../../lab/control-plane/control-plane.ts';

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** One verb on one resource, the smallest thing that can be granted. */
export interface Grant {
  readonly verb: string;
  readonly apiGroup: string;
  readonly resource: string;
  /** The object's name; empty for any. */
  readonly name: string;
}

export const grantText = ({ verb, apiGroup, resource, name }: Grant): string =>
  `${verb} ${apiGroup === '' ? '' : `${apiGroup}/`}${resource}${name === '' ? '' : ` ${name}`}`;

/** The single grants of a role's rules. */
export function grantsOf(rules: readonly Rule[]): readonly Grant[] {
  return rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [''] }) =>
    apiGroups.flatMap((apiGroup) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) => resourceNames.map((name) => ({ verb, apiGroup, resource, name }))),
      ),
    ),
  );
}

/** Rules with the same rights except one. */
export function without(rules: readonly Rule[], taken: Grant): readonly Rule[] {
  return grantsOf(rules)
    .filter((grant) => grantText(grant) !== grantText(taken))
    .map(({ verb, apiGroup, resource, name }) => ({
      apiGroups: [apiGroup],
      resources: [resource],
      verbs: [verb],
      ...(name === '' ? {} : { resourceNames: [name] }),
    }));
}

/** The rules of a role as the API server has them. */
export async function rulesOf(plane: ControlPlane, ...role: readonly string[]): Promise<readonly Rule[]> {
  return (JSON.parse(await plane.kubectl(['get', ...role, '-o', 'json'])) as { readonly rules: readonly Rule[] }).rules;
}

/** The grants that these requests used, as `grantText` writes them, each with and without the object's name. */
export function used(events: readonly AuditEvent[]): ReadonlySet<string> {
  return new Set(
    events
      .filter(({ decision, resource }) => decision === 'allow' && resource !== '')
      .flatMap(({ verb, apiGroup, resource, subresource, name }) => {
        const grant = { verb, apiGroup, resource: subresource === '' ? resource : `${resource}/${subresource}`, name };
        return [grantText(grant), grantText({ ...grant, name: '' })];
      }),
  );
}

/** The requests that were refused for lack of a right. */
export function denied(events: readonly AuditEvent[]): readonly string[] {
  return events
    .filter(({ decision, code }) => decision === 'forbid' || code === 403)
    .map(({ verb, uri }) => `${verb} ${uri}`);
}
