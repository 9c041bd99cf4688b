import type { IngressBackend } from '../../../kube/kinds/ingress.ts';
import type { Service, ServicePort } from '../../../kube/kinds/service.ts';
import type { ClusterState } from '../../../kube/source.ts';
import type { EdgeProblem, EdgeReason, EdgeRefusal } from '../reasons.ts';
import type { Backend, BackendKey } from '../table.ts';
import { quoted } from './address.ts';
import type { EndpointRules } from './endpoint-rules.ts';
import { resolveEndpoints } from './endpoints.ts';
import { isLabel } from './names.ts';
import type { ServiceSlices, SliceIndex } from './slices.ts';

/** A backend as an Ingress names it, checked for shape only. */
export type BackendReference =
  | { readonly ok: true; readonly namespace: string; readonly service: string; readonly port: string | number }
  | { readonly ok: false; readonly fault: EdgeRefusal };

/** Reads an Ingress backend. Never looks at other objects: that a Service is missing is no fault of shape. */
export function readBackend(backend: IngressBackend | undefined, namespace: string): BackendReference {
  if (backend?.resource !== undefined)
    return refuse('ResourceBackend', `only Services are supported, not ${quoted(backend.resource.kind)}`);
  const { name, port } = backend?.service ?? {};
  if (!isLabel(name) || !isLabel(namespace)) return refuse('BackendInvalid', `${quoted(name)} is not a Service name`);
  if (port?.number !== undefined) {
    if (!Number.isInteger(port.number) || port.number < 1 || port.number > 65_535)
      return refuse('BackendInvalid', `${quoted(port.number)} is not a port`);
    return { ok: true, namespace, service: name, port: port.number };
  }
  if (!isLabel(port?.name)) return refuse('BackendInvalid', 'the backend has neither a port number nor a port name');
  return { ok: true, namespace, service: name, port: port.name };
}

/** Where a reference leads: a table key, and why its backend has no endpoints if it can have none. */
export type ResolvedBackend =
  | { readonly ok: true; readonly key: BackendKey; readonly port?: ServicePort; readonly fault?: EdgeRefusal }
  | { readonly ok: false; readonly fault: EdgeRefusal };

/** Looks up the Service. A missing Service or port keeps the route (503), an ExternalName refuses it. */
export function resolveBackend(
  reference: Extract<BackendReference, { ok: true }>,
  services: ClusterState['objects']['Service'],
): ResolvedBackend {
  const name = `${reference.namespace}/${reference.service}`;
  const service = services.get(name);
  const unresolved = (): BackendKey => `${name}/${reference.port}`;
  if (service === undefined)
    return { ok: true, key: unresolved(), fault: { reason: 'ServiceMissing', message: `there is no Service ${name}` } };
  // A Service that was an ExternalName before keeps the field externalName, which then means nothing.
  if (service.spec?.type === 'ExternalName')
    return refuse('ExternalNameService', `Service ${name} is of type ExternalName`);
  const port = portOf(service, reference.port);
  if (port === undefined)
    return {
      ok: true,
      key: unresolved(),
      fault: { reason: 'ServicePortMissing', message: `Service ${name} has no TCP port ${reference.port}` },
    };
  return { ok: true, key: `${name}/${port.port}`, port };
}

function portOf(service: Service, wanted: string | number): ServicePort | undefined {
  const ports = Array.isArray(service.spec?.ports) ? service.spec.ports : [];
  return ports.find(
    (port) =>
      (port.protocol ?? 'TCP') === 'TCP' && (typeof wanted === 'number' ? port.port === wanted : port.name === wanted),
  );
}

/** A backend of the table together with what the fast path needs to make it again. */
export interface LiveBackend {
  readonly backend: Backend;
  readonly service: string;
  /** Absent when the Service or its port does not exist: no endpoint can make the backend serve. */
  readonly port?: ServicePort;
  readonly ready: number;
  readonly problems: readonly EdgeProblem[];
  /** What the backend was made of, beside its port. */
  readonly slices: ServiceSlices;
  readonly rules: EndpointRules;
  /** The backend with all its endpoints, when there was no room for some. */
  readonly whole?: LiveBackend;
}

/**
 * Fills a backend with the endpoints that its slices have now. Returns the backend as it was before, when that
 * was made of the same port, slices and rules.
 */
export function fillBackend(
  key: BackendKey,
  port: ServicePort | undefined,
  index: SliceIndex,
  rules: EndpointRules,
  before?: LiveBackend,
): LiveBackend {
  const known = before?.whole ?? before;
  const service = key.slice(0, key.lastIndexOf('/'));
  const slices = index.get(service);
  if (known !== undefined && known.port === port && known.slices === slices && known.rules === rules) return known;
  if (port === undefined) return { backend: { key, endpoints: [] }, service, ready: 0, problems: [], slices, rules };
  const { endpoints, ready, problems } = resolveEndpoints(slices, port, rules);
  return { backend: { key, endpoints }, service, port, ready, problems, slices, rules };
}

function refuse(reason: EdgeReason, message: string): { readonly ok: false; readonly fault: EdgeRefusal } {
  return { ok: false, fault: { reason, message } };
}
