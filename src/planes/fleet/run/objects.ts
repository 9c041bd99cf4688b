import type { ApiError, KubeClient } from '../../../kube/api/client.ts';
import { compareText } from '../../../model/values.ts';
import { type Clock, sleep, systemClock } from '../../../runtime/clock.ts';
import type { Manifest } from '../compile/objects/manifest.ts';
import { managedBy, nameOf } from '../compile/objects.ts';
import type { StepFault, StepHandler } from './handlers.ts';
import type { Step } from './steps.ts';

/** Whoever looks into `metadata.managedFields` finds our fields under this name. */
const fieldManager = 'tideline-fleet';

/** What the kinds of ours are called in a path. */
const plurals: Readonly<Record<string, string>> = {
  ClusterInformation: 'clusterinformations',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  CustomResourceDefinition: 'customresourcedefinitions',
  DaemonSet: 'daemonsets',
  IPAMConfig: 'ipamconfigs',
  IPPool: 'ippools',
  IngressClass: 'ingressclasses',
  Namespace: 'namespaces',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  RuntimeClass: 'runtimeclasses',
  ServiceAccount: 'serviceaccounts',
};

/** Kinds of which an object is removed when it is no longer in the list. Others may hold what is lost with them: pods, objects, blocks. */
const removable: Readonly<Record<string, string>> = {
  ClusterRole: 'rbac.authorization.k8s.io/v1',
  ClusterRoleBinding: 'rbac.authorization.k8s.io/v1',
  DaemonSet: 'apps/v1',
  IngressClass: 'networking.k8s.io/v1',
  Role: 'rbac.authorization.k8s.io/v1',
  RoleBinding: 'rbac.authorization.k8s.io/v1',
  RuntimeClass: 'node.k8s.io/v1',
  ServiceAccount: 'v1',
};

const establishedWithinMs = 30_000;

export interface ObjectsInput {
  readonly client: KubeClient;
  /** All of the cluster, in the order of `compile/objects.ts`. */
  readonly objects: readonly Manifest[];
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** The step `objects`. `of` gives the objects of a cluster and a client of its API that may write them. */
export function objectsHandler(
  of: (cluster: string) => Promise<Pick<ObjectsInput, 'client' | 'objects'>>,
): StepHandler<Extract<Step, { readonly do: 'objects' }>> {
  return async ({ cluster }, { say, signal }) => runObjects({ ...(await of(cluster)), say, signal });
}

/**
 * Writes the objects of a cluster by server-side apply, each for itself, and removes those of ours that are no longer among them. A field that
 * somebody else has set to another value is a conflict: it is told by name and never overwritten. A second call changes nothing.
 */
export async function runObjects(input: ObjectsInput): Promise<readonly StepFault[]> {
  const first = input.objects.filter(({ kind }) => kind === 'Namespace' || kind === 'CustomResourceDefinition');
  const faults = [...(await applyAll(input, first)), ...(await established(input, first))];
  if (faults.length > 0) return faults;
  const written = await applyAll(
    input,
    input.objects.filter((object) => !first.includes(object)),
  );
  // What is no longer wanted goes last, and only when everything else stands: a right may have moved to another object.
  return written.length > 0 ? written : removeOthers(input);
}

async function applyAll({ client, signal }: ObjectsInput, objects: readonly Manifest[]): Promise<readonly StepFault[]> {
  const faults: StepFault[] = [];
  for (const object of objects) {
    try {
      await client.request({
        method: 'PATCH',
        path: pathOf(object),
        query: { fieldManager, force: false },
        contentType: 'application/apply-patch+yaml',
        body: object,
        signal,
      });
    } catch (error) {
      faults.push({ message: `${nameOf(object)}: ${saidBy(error)}` });
    }
  }
  return faults;
}

/** A kind can be written only some moments after its definition was. */
async function established(
  { client, signal, clock = systemClock }: ObjectsInput,
  objects: readonly Manifest[],
): Promise<readonly StepFault[]> {
  const end = clock.monotonic() + establishedWithinMs;
  const faults: StepFault[] = [];
  for (const object of objects.filter(({ kind }) => kind === 'CustomResourceDefinition')) {
    let stands = false;
    while (!stands && clock.monotonic() < end && !signal.aborted) {
      stands = await isEstablished(client, object, signal);
      if (!stands) await sleep(clock, 200);
    }
    if (!stands)
      faults.push({ message: `${nameOf(object)}: the API does not serve it after ${establishedWithinMs / 1000} s` });
  }
  return faults;
}

async function isEstablished(client: KubeClient, object: Manifest, signal: AbortSignal): Promise<boolean> {
  type Definition = {
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  };
  const found = await client.request<Definition>({ path: pathOf(object), signal }).catch(() => undefined);
  return found?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true;
}

async function removeOthers({ client, objects, say, signal }: ObjectsInput): Promise<readonly StepFault[]> {
  const wanted = new Set(objects.map(nameOf));
  const faults: StepFault[] = [];
  for (const [kind, plural] of Object.entries(plurals)) {
    const apiVersion = removable[kind] ?? objects.find((object) => object.kind === kind)?.apiVersion;
    if (apiVersion === undefined) continue;
    for (const { metadata } of await ours(client, `${groupPath(apiVersion)}/${plural}`, signal)) {
      const name = nameOf({ kind, metadata });
      if (wanted.has(name)) continue;
      if (removable[kind] === undefined) {
        say(`${name} is no longer wanted and stays, because it may be in use: remove it by kubectl when it is not`);
        continue;
      }
      const body = { preconditions: { uid: metadata.uid } };
      const path = pathOf({ apiVersion, kind, metadata });
      const failed = await client.request({ method: 'DELETE', path, body, signal }).then(
        () => undefined,
        (error: unknown) => ((error as ApiError).status === 404 ? undefined : { message: `${name}: ${saidBy(error)}` }),
      );
      if (failed !== undefined) faults.push(failed);
      else say(`removed ${name}`);
    }
  }
  return faults;
}

interface Found {
  readonly metadata: Manifest['metadata'] & { readonly uid: string };
}

/** The objects of a kind that we wrote; none where the API does not have the kind. */
async function ours(client: KubeClient, path: string, signal: AbortSignal): Promise<readonly Found[]> {
  const labelSelector = Object.entries(managedBy)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const list = await client
    .request<{ readonly items: readonly Found[] }>({ path, query: { labelSelector }, signal })
    .catch((error: ApiError) => {
      if (error.status === 404) return { items: [] };
      throw error;
    });
  return list.items.toSorted((a, b) => compareText(a.metadata.name, b.metadata.name));
}

function pathOf({ apiVersion, kind, metadata }: Pick<Manifest, 'apiVersion' | 'kind' | 'metadata'>): string {
  const place = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${groupPath(apiVersion)}${place}/${plurals[kind] ?? ''}/${metadata.name}`;
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** The API server names the other manager and the fields in the message of a conflict. */
function saidBy(error: unknown): string {
  const { status, message } = error as ApiError;
  return status === 409
    ? `somebody else has set fields to other values, which are left as they are: ${message}`
    : message;
}
