import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';

interface IngressWithStatus {
  readonly status: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

/** The addresses in the status of an Ingress of namespace video, in their order. */
export async function ingressAddresses(plane: ControlPlane, name: string): Promise<readonly string[]> {
  const path = `/apis/networking.k8s.io/v1/namespaces/video/ingresses/${name}`;
  const { status } = await plane.read<IngressWithStatus>(path);
  return (status.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
}
