import { application } from './objects.ts';
import type { FleetStage } from './stage.ts';

/** The pods of the application and of nothing else. */
export async function podsOf(
  stage: FleetStage,
): Promise<readonly { readonly name: string; readonly node: string; readonly address: string }[]> {
  const { items } = await stage.world.admin.read<{ readonly items: readonly Pod[] }>(
    `/api/v1/namespaces/default/pods?labelSelector=app%3D${application}`,
  );
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, spec, status }) => ({
      name: metadata.name,
      node: spec.nodeName ?? '',
      address: status.podIP ?? '',
    }));
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly podIP?: string };
}

/** Waits until so many pods of the Deployment are Ready, and no more are there. */
export async function untilReady(stage: FleetStage, wanted: number): Promise<void> {
  await stage.until(async () => {
    const { status } = await stage.world.admin.read<{
      readonly status: { readonly readyReplicas?: number; readonly updatedReplicas?: number };
    }>(`/apis/apps/v1/namespaces/default/deployments/${application}`);
    return status.readyReplicas === wanted ? undefined : `${status.readyReplicas ?? 0} of ${wanted} pods are Ready`;
  });
}
