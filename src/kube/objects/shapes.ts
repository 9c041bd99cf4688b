import type {
  BlockAffinity,
  EndpointSlice,
  Ingress,
  IngressBackend,
  IngressClass,
  IngressPath,
  IPAMBlock,
  IPPool,
  Kind,
  Node,
  ObjectByKind,
  Pod,
  Secret,
  Service,
  ServicePort,
} from '../../model/kubernetes.ts';
import { either, flag, listOf, orNull, type Picker, recordOf, shape, text, whole } from './pick.ts';

/** The fields beside `kind` and `metadata` that we keep, kind by kind: the run-time twin of `model/kubernetes.ts`. */
type Body<K extends Kind> = Omit<ObjectByKind[K], 'kind' | 'metadata'>;
type In<T> = Exclude<T, undefined>;
type Item<T> = In<T> extends readonly (infer E)[] ? E : never;

const texts = listOf(text);

const node = shape<Body<'Node'>>({
  spec: shape<In<Node['spec']>>({ podCIDRs: texts, unschedulable: flag }),
  status: shape<In<Node['status']>>({
    addresses: listOf(shape<Item<In<Node['status']>['addresses']>>({ type: text, address: text }, ['type', 'address'])),
  }),
});

const pod = shape<Body<'Pod'>>({
  spec: shape<In<Pod['spec']>>({ nodeName: text }),
  status: shape<In<Pod['status']>>({
    phase: text,
    podIP: text,
    podIPs: listOf(shape<Item<In<Pod['status']>['podIPs']>>({ ip: text }, ['ip'])),
  }),
});

const service = shape<Body<'Service'>>({
  spec: shape<In<Service['spec']>>({
    type: text,
    clusterIP: text,
    externalName: text,
    ports: listOf(
      shape<ServicePort>(
        { name: text, port: whole, protocol: text, appProtocol: text, targetPort: either(whole, text) },
        ['port'],
      ),
    ),
  }),
});

type SliceEndpoint = Item<EndpointSlice['endpoints']>;
const endpointSlice = shape<Body<'EndpointSlice'>>({
  addressType: text,
  endpoints: listOf(
    shape<SliceEndpoint>(
      {
        addresses: texts,
        conditions: shape<In<SliceEndpoint['conditions']>>({ ready: flag, serving: flag, terminating: flag }),
        nodeName: text,
        zone: text,
        targetRef: shape<In<SliceEndpoint['targetRef']>>({ kind: text, name: text }),
      },
      ['addresses'],
    ),
  ),
  ports: listOf(shape<Item<EndpointSlice['ports']>>({ name: text, port: whole, protocol: text, appProtocol: text })),
});

const backend = shape<IngressBackend>({
  service: shape<In<IngressBackend['service']>>(
    { name: text, port: shape<In<In<IngressBackend['service']>['port']>>({ name: text, number: whole }) },
    ['name'],
  ),
  resource: shape<In<IngressBackend['resource']>>({ kind: text, name: text }, ['kind', 'name']),
});

type Rule = Item<In<Ingress['spec']>['rules']>;
type LoadBalancer = In<In<Ingress['status']>['loadBalancer']>;
const ingress = shape<Body<'Ingress'>>({
  spec: shape<In<Ingress['spec']>>({
    ingressClassName: text,
    defaultBackend: backend,
    tls: listOf(shape<Item<In<Ingress['spec']>['tls']>>({ hosts: texts, secretName: text })),
    rules: listOf(
      shape<Rule>({
        host: text,
        http: shape<In<Rule['http']>>(
          { paths: listOf(shape<IngressPath>({ path: text, pathType: text, backend }, ['backend'])) },
          ['paths'],
        ),
      }),
    ),
  }),
  status: shape<In<Ingress['status']>>({
    loadBalancer: shape<LoadBalancer>({
      ingress: listOf(shape<Item<LoadBalancer['ingress']>>({ ip: text, hostname: text })),
    }),
  }),
});

const ingressClass = shape<Body<'IngressClass'>>({
  spec: shape<In<IngressClass['spec']>>({ controller: text }),
});

const strings = recordOf(text);
const certificateKeys = ['tls.crt', 'tls.key', 'ca.crt'];

/** Of a Secret only what a certificate needs is kept: other contents never enter memory or the snapshot on disk. */
const secret: Picker<Body<'Secret'>> = (value) => {
  const read = shape<{ type?: string; data?: Record<string, string>; stringData?: Record<string, string> }>({
    type: text,
    data: strings,
    stringData: strings,
  })(value);
  const data: Record<string, string> = {};
  for (const key of certificateKeys) {
    const plain = read.stringData?.[key];
    const encoded = plain === undefined ? read.data?.[key] : Buffer.from(plain).toString('base64');
    if (encoded !== undefined) data[key] = encoded;
  }
  const body: Body<'Secret'> = { data };
  return read.type === undefined ? body : ({ ...body, type: read.type } satisfies Omit<Secret, 'kind' | 'metadata'>);
};

const blockAffinity = shape<Body<'BlockAffinity'>>({
  spec: shape<In<BlockAffinity['spec']>>({
    cidr: text,
    node: text,
    state: text,
    deleted: either(flag, text),
    type: text,
  }),
});

type Attribute = Item<In<IPAMBlock['spec']>['attributes']>;
const ipamBlock = shape<Body<'IPAMBlock'>>({
  spec: shape<In<IPAMBlock['spec']>>({
    cidr: text,
    affinity: text,
    deleted: flag,
    allocations: listOf(orNull(whole)),
    attributes: listOf(shape<Attribute>({ handle_id: text, secondary: strings, releasedAt: text })),
  }),
});

const ipPool = shape<Body<'IPPool'>>({
  spec: shape<In<IPPool['spec']>>({
    cidr: text,
    blockSize: whole,
    disabled: flag,
    disableBGPExport: flag,
    allowedUses: texts,
  }),
});

export const bodies: { readonly [K in Kind]: Picker<Body<K>> } = {
  Node: node,
  Pod: pod,
  Service: service,
  EndpointSlice: endpointSlice,
  Ingress: ingress,
  IngressClass: ingressClass,
  Secret: secret,
  BlockAffinity: blockAffinity,
  IPAMBlock: ipamBlock,
  IPPool: ipPool,
};
