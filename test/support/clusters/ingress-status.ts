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

/** Writes these addresses into the status of an Ingress in namespace video by an update, as controllers other than ours do. */
export async function setIngressAddresses(
  plane: ControlPlane,
  name: string,
  ips: readonly string[],
  manager: string,
): Promise<void> {
  const status = { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } };
  const command = `patch ingress -n video ${name} --subresource=status --type=merge --field-manager=${manager} -p`;
  await plane.kubectl([...command.split(' '), JSON.stringify({ status })]);
}
