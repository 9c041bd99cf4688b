import type { EdgeProblem, EdgeReason } from '../reasons.ts';
import type { BackendKey } from '../table.ts';
import type { LiveBackend } from './backends.ts';
import type { IngressReading } from './ingress.ts';

/**
 * The problems of the Ingresses that lead to these backends, which exist and have no endpoint. A redirect asks no pod, so the Service
 * that an Ingress with one has to name may be empty.
 */
export function emptyServiceProblems(
  readings: Iterable<IngressReading>,
  empty: readonly LiveBackend[],
): readonly EdgeProblem[] {
  const keys = new Set(empty.flatMap(namesOf));
  if (keys.size === 0) return [];
  const reason: EdgeReason = 'ServiceWithoutEndpoints';
  const problems: EdgeProblem[] = [];
  for (const { key, routes, annotations } of readings) {
    if (annotations.wishes.redirect !== undefined) continue;
    for (const { backend, field } of routes) {
      const service = `${backend.namespace}/${backend.service}`;
      if (keys.has(`${service}/${backend.port}`))
        problems.push({ reason, object: `Ingress/${key}`, path: field, message: `Service ${service} has no endpoint` });
    }
  }
  return problems;
}

/** The names by which Ingresses may call a backend: its port has a number and often a name. */
function namesOf({ service, port }: LiveBackend): readonly BackendKey[] {
  if (port === undefined) return [];
  return [port.port, port.name].flatMap((name) => (name === undefined ? [] : [`${service}/${name}`]));
}
