import { withoutUndefined } from '../../model/values.ts';
import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { type Item, listOf, type Present, shape, text, whole } from '../objects/pick.ts';

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
  /** The addresses at which users reach the Ingress; the leading edge agent writes them. */
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
  };
}

type ServiceBackend = Present<IngressBackend['service']>;
type Spec = Present<Ingress['spec']>;
type Rule = Item<Spec['rules']>;
type LoadBalancer = Present<Present<Ingress['status']>['loadBalancer']>;

const backend = shape<IngressBackend>({
  service: shape<ServiceBackend>(
    { name: text, port: shape<Present<ServiceBackend['port']>>({ name: text, number: whole }) },
    ['name'],
  ),
  resource: shape<Present<IngressBackend['resource']>>({ kind: text, name: text }, ['kind', 'name']),
});

/** The annotation of before there was `spec.ingressClassName`. */
export const legacyClassAnnotation = 'kubernetes.io/ingress.class';

/** The class that an Ingress names: by its field, else by the annotation. */
export function classNameOf(ingress: Ingress): string | undefined {
  return ingress.spec?.ingressClassName ?? ingress.metadata.annotations?.[legacyClassAnnotation];
}

export const ingress: KindFacts<Ingress> = {
  kind: 'Ingress',
  apiVersions: ['networking.k8s.io/v1'],
  plural: 'ingresses',
  namespaced: true,
  // With its annotations and hosts: where it limits access, nothing else may serve what it would have limited.
  marker: (object) => ({
    spec: {
      ...withoutUndefined({ ingressClassName: classNameOf(object) }),
      rules: (object.spec?.rules ?? []).map(({ host }) => withoutUndefined({ host })),
    },
  }),
  body: shape<Body<Ingress>>({
    spec: shape<Spec>({
      ingressClassName: text,
      defaultBackend: backend,
      tls: listOf(shape<Item<Spec['tls']>>({ hosts: listOf(text), secretName: text })),
      rules: listOf(
        shape<Rule>({
          host: text,
          http: shape<Present<Rule['http']>>(
            { paths: listOf(shape<IngressPath>({ path: text, pathType: text, backend }, ['backend'])) },
            ['paths'],
          ),
        }),
      ),
    }),
    status: shape<Present<Ingress['status']>>({
      loadBalancer: shape<LoadBalancer>({
        ingress: listOf(shape<Item<LoadBalancer['ingress']>>({ ip: text, hostname: text })),
      }),
    }),
  }),
};
