import { stringify } from 'yaml';
import { apiGroup } from '../../src/model/contract.ts';
import { type ApiKindName, apiKindNames } from '../../src/model/spec/kinds.ts';
import { type JsonSchema, schemaOf } from '../../src/model/spec/schema.ts';
import { statusOf } from './status.ts';
import { structural } from './structural.ts';

interface Names {
  readonly plural: string;
  readonly short: string;
  /** The columns of `kubectl get`, each with its heading and JSON path. Of a path that finds several values only the first is printed; a list is printed as JSON. */
  readonly columns: readonly (readonly [name: string, type: 'string' | 'integer' | 'number', path: string])[];
}

function conditionPath(type: string, field = 'status'): string {
  return `.status.conditions[?(@.type=="${type}")].${field}`;
}

const names: Readonly<Record<ApiKindName, Names>> = {
  Site: {
    plural: 'sites',
    short: 'tsite',
    columns: [
      ['Type', 'string', '.spec.type'],
      ['Country', 'string', '.spec.location.country'],
      ['ASN', 'integer', '.spec.serverAsn'],
      ['InForce', 'string', conditionPath('InForce')],
    ],
  },
  Cluster: {
    plural: 'clusters',
    short: 'tcluster',
    columns: [
      ['Sites', 'string', '.spec.sites'],
      ['Pool', 'string', '.spec.entry.edgePool'],
      ['Anycast', 'string', '.spec.entry.anycast'],
      ['InForce', 'string', conditionPath('InForce')],
    ],
  },
  EdgePool: {
    plural: 'edgepools',
    short: 'epool',
    columns: [
      ['Cluster', 'string', '.spec.cluster'],
      ['VIPs', 'string', '.status.vipList'],
      ['Class', 'string', '.spec.ingressClass'],
      ['Addresses', 'string', '.status.addressList'],
      ['SameSpec', 'string', conditionPath('SameSpec')],
      ['Programmed', 'string', conditionPath('Programmed')],
      ['Ready', 'string', conditionPath('Ready')],
    ],
  },
  TrafficPolicy: {
    plural: 'trafficpolicies',
    short: 'tpol',
    columns: [
      ['Zone', 'string', '.spec.dns.zone'],
      ['TTL', 'integer', '.spec.ttlSeconds'],
      ['Default', 'string', '.spec.default.clusters'],
      ['InForce', 'string', conditionPath('InForce')],
      ['Why', 'string', conditionPath('InForce', 'reason')],
      ['Since', 'string', conditionPath('InForce', 'lastTransitionTime')],
      ['Generations', 'string', '.status.zoneList'],
    ],
  },
  Drain: {
    plural: 'drains',
    short: 'tdrain',
    columns: [
      ['Kind', 'string', '.spec.target.kind'],
      ['Target', 'string', '.spec.target.name'],
      ['InForce', 'string', conditionPath('InForce')],
      ['Empty', 'string', conditionPath('Empty')],
      ['DNS', 'string', conditionPath('InDns')],
      ['DNSShare', 'number', '.status.dnsShare'],
      ['VIPs', 'integer', '.status.left.vips'],
      ['Connections', 'integer', '.status.left.connections'],
      ['Pods', 'integer', '.status.left.pods'],
      ['Expires', 'string', '.spec.expires'],
      ['Reason', 'string', '.spec.reason'],
    ],
  },
  Freeze: {
    plural: 'freezes',
    short: 'tfreeze',
    columns: [
      ['InForce', 'string', conditionPath('InForce')],
      ['By', 'string', '.spec.by'],
      ['Since', 'string', '.spec.since'],
      ['Until', 'string', '.spec.until'],
      ['Reason', 'string', '.spec.reason'],
    ],
  },
  TrafficOverlay: {
    plural: 'trafficoverlays',
    short: 'tover',
    columns: [
      ['Policy', 'string', '.spec.policy'],
      ['InForce', 'string', conditionPath('InForce')],
      ['Why', 'string', conditionPath('InForce', 'reason')],
      ['Since', 'string', conditionPath('InForce', 'lastTransitionTime')],
      ['Owner', 'string', '.spec.owner'],
      ['Expires', 'string', '.spec.expires'],
      ['Afterwards', 'string', '.spec.afterwards'],
      ['Renewed', 'string', '.spec.renewed'],
      ['Reason', 'string', '.spec.reason'],
    ],
  },
  TrafficVerdict: {
    plural: 'trafficverdicts',
    short: 'tverdict',
    columns: [
      ['Overlay', 'string', '.spec.overlay'],
      ['Verdict', 'string', '.spec.verdict'],
      ['InForce', 'string', conditionPath('InForce')],
      ['Why', 'string', conditionPath('InForce', 'reason')],
      ['By', 'string', '.spec.by'],
      ['At', 'string', '.spec.at'],
      ['Reason', 'string', '.spec.reason'],
    ],
  },
};

/** The CustomResourceDefinition of a kind, `apiextensions.k8s.io/v1`. */
export function crdOf(kind: ApiKindName) {
  const { plural, short, columns } = names[kind];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${apiGroup}` },
    spec: {
      group: apiGroup,
      scope: 'Cluster',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [short],
        categories: ['tideline'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            ...columns.map(([name, type, jsonPath]) => ({ name, type, jsonPath })),
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: { openAPIV3Schema: rootOf(kind, schemaOf(kind)) },
        },
      ],
    },
  };
}

/** The schema of the whole object. Of metadata a CRD may restrict the name only; the API server checks apiVersion and kind itself. */
function rootOf(kind: ApiKindName, schema: JsonSchema) {
  const spec = schema.properties?.['spec'] ?? {};
  const name = schema.properties?.['metadata']?.properties?.['name'] ?? {};
  return {
    description: spec.description ?? '',
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', properties: { name: structural(name, `${kind}.metadata.name`) } },
      spec: structural(spec, `${kind}.spec`),
      status: statusOf(kind),
    },
  };
}

/** Every CRD as a file, by path in the repository. */
export function crdFiles(): readonly (readonly [path: string, text: string])[] {
  return apiKindNames.map((kind) => [
    `deploy/crds/${names[kind].plural}.yaml`,
    `# Made by \`make generate\` from src/model/spec; do not edit.\n${stringify(crdOf(kind), { lineWidth: 120, aliasDuplicateObjects: false })}`,
  ]);
}
