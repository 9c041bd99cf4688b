/**
 * Kubernetes and Calico objects as Tideline reads them: only the fields used, all others are dropped when an object
 * enters a ClusterState. Field names are the API's own (Kubernetes 1.36, Calico 3.31).
 */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface KubernetesObject<Kind extends string> {
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
}

export interface Node extends KubernetesObject<'Node'> {
  readonly spec?: { readonly podCIDRs?: readonly string[]; readonly unschedulable?: boolean };
  readonly status?: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] };
}

export interface Pod extends KubernetesObject<'Pod'> {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
  };
}

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
  readonly targetPort?: number | string;
}

export interface Service extends KubernetesObject<'Service'> {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly externalName?: string;
    readonly ports?: readonly ServicePort[];
  };
}

export interface EndpointSlice extends KubernetesObject<'EndpointSlice'> {
  /** IPv4, IPv6 or FQDN. The Service is named by the label `kubernetes.io/service-name`. */
  readonly addressType?: string;
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
    readonly nodeName?: string;
    readonly zone?: string;
    readonly targetRef?: { readonly kind?: string; readonly name?: string };
  }[];
  readonly ports?: readonly {
    readonly name?: string;
    readonly port?: number;
    readonly protocol?: string;
    readonly appProtocol?: string;
  }[];
}

export interface IngressBackend {
  readonly service?: { readonly name: string; readonly port?: { readonly name?: string; readonly number?: number } };
  readonly resource?: { readonly kind: string; readonly name: string };
}

export interface IngressPath {
  readonly path?: string;
  readonly pathType?: string;
  readonly backend: IngressBackend;
}

export interface Ingress extends KubernetesObject<'Ingress'> {
  readonly spec?: {
    readonly ingressClassName?: string;
    readonly defaultBackend?: IngressBackend;
    readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[];
    readonly rules?: readonly { readonly host?: string; readonly http?: { readonly paths: readonly IngressPath[] } }[];
  };
  /** What users of the Ingress are told; the leading edge agent writes it. */
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
  };
}

export interface IngressClass extends KubernetesObject<'IngressClass'> {
  readonly spec?: { readonly controller?: string };
}

export interface Secret extends KubernetesObject<'Secret'> {
  readonly type?: string;
  /** Base64, as the API gives it. */
  readonly data?: Readonly<Record<string, string>>;
}

/** Calico, `crd.projectcalico.org/v1` (`deleted` is the string "true") or `projectcalico.org/v3` (a boolean). */
export interface BlockAffinity extends KubernetesObject<'BlockAffinity'> {
  readonly spec?: {
    readonly cidr?: string;
    readonly node?: string;
    readonly state?: string;
    readonly deleted?: string | boolean;
    readonly type?: string;
  };
}

export interface IPAMBlock extends KubernetesObject<'IPAMBlock'> {
  readonly spec?: {
    readonly cidr?: string;
    /** `host:<node>` or `virtual:load-balancer`; absent for a released block that is still in use. */
    readonly affinity?: string;
    readonly deleted?: boolean;
    /** Index into `attributes` for every address of the block, or null when free. */
    readonly allocations?: readonly (number | null)[];
    readonly attributes?: readonly {
      readonly handle_id?: string;
      readonly secondary?: Readonly<Record<string, string>>;
      readonly releasedAt?: string;
    }[];
  };
}

export interface IPPool extends KubernetesObject<'IPPool'> {
  readonly spec?: {
    readonly cidr?: string;
    readonly blockSize?: number;
    readonly disabled?: boolean;
    readonly disableBGPExport?: boolean;
    readonly allowedUses?: readonly string[];
  };
}

/** Every kind a ClusterState holds. */
export interface ObjectByKind {
  readonly Node: Node;
  readonly Pod: Pod;
  readonly Service: Service;
  readonly EndpointSlice: EndpointSlice;
  readonly Ingress: Ingress;
  readonly IngressClass: IngressClass;
  readonly Secret: Secret;
  readonly BlockAffinity: BlockAffinity;
  readonly IPAMBlock: IPAMBlock;
  readonly IPPool: IPPool;
}
export type Kind = keyof ObjectByKind;
export type AnyObject = ObjectByKind[Kind];

/** The controller that our IngressClass objects name. */
export const ingressController = 'tideline.dev/edge';

/** An object of the API, as a path is made of it and an event refers to it. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  /** As in the path: `ingresses`. */
  readonly resource: string;
  /** Absent for cluster-scoped objects. */
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
}

/** `namespace/name`, or `name` for cluster-scoped objects. */
export type ObjectKey = string;

export function keyOf(metadata: ObjectMeta): ObjectKey {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}
