import { kindFacts } from '../../../../kube/kinds.ts';
import { pathOf } from '../../../../kube/status/object.ts';
import { apiVersion } from '../../../../model/contract.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import { type ClusterApi, isGone, remove } from '../cluster-objects.ts';

/** The target of a Drain that a run writes. */
export interface Target {
  readonly kind: 'Blade' | 'Worker';
  readonly name: string;
}

/** A Drain ends by itself when a run was given up and nobody returned the server. */
const lastsMs = 4 * 3_600_000;
const longest = 63;

/**
 * Puts a Drain of this server into the API of its cluster, which its agent obeys. Its name is the run's own: a Drain that a person made of
 * the same server stays as it is. False where the cluster does not know Drains.
 */
export async function putDrain(
  api: ClusterApi,
  target: Target,
  reason: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  const expires = `${new Date(clock.now() + lastsMs).toISOString().slice(0, 19)}Z`;
  const metadata = { name: nameOf(target) };
  const spec = { target, reason: reason.slice(0, 1024), expires };
  try {
    await api.request({
      method: 'PATCH',
      path: pathOfDrain(target),
      query: { fieldManager: 'tideline-fleet', force: true },
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion, kind: 'Drain', metadata, spec },
      signal,
    });
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** One that is gone already is no fault. */
export async function removeDrain(api: ClusterApi, target: Target): Promise<void> {
  await remove(api, pathOfDrain(target));
}

function pathOfDrain(target: Target): string {
  return pathOf({ apiVersion, kind: 'Drain', resource: kindFacts.Drain.plural, name: nameOf(target) });
}

function nameOf({ kind, name }: Target): string {
  return `fleet-${kind.toLowerCase()}-${name.replaceAll('.', '-')}`.slice(0, longest);
}
