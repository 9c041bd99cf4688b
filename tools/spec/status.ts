import type { ApiKindName } from '../../src/model/spec/kinds.ts';

/** Of an object of which nothing else is to be said. */
const plain = {
  Accepted: 'The object is taken as it is written.',
  InForce: 'Agents of the cluster obey it, since `lastTransitionTime`.',
} as const;

/** The conditions that Tideline writes, by kind. */
export const conditionTypes: Readonly<Record<ApiKindName, Readonly<Record<string, string>>>> = {
  Site: plain,
  Cluster: plain,
  Freeze: plain,
  TrafficOverlay: {
    Accepted: plain.Accepted,
    InForce:
      'DNS answers as it says, since `lastTransitionTime`; else for whom or what it waits, or why it leads nobody.',
  },
  TrafficVerdict: { Accepted: plain.Accepted, InForce: 'The word counts, since `lastTransitionTime`.' },
  EdgePool: {
    Accepted: 'The pool is in force as it is written.',
    ResolvedRefs: 'Everything it refers to is there.',
    SameSpec: 'Every blade that answers obeys the same platform spec; the message has the digest.',
    Programmed: 'nginx of at least one blade serves the newest table.',
    Ready: 'Every VIP is announced.',
  },
  TrafficPolicy: {
    Accepted: 'The policy is taken as it is written.',
    InForce: 'Every zone of the policy answers as it says, since `lastTransitionTime`.',
  },
  Drain: {
    Accepted: 'The Drain is taken as it is written.',
    InForce: 'Agents obey it, since `lastTransitionTime`.',
    Empty:
      'Nothing is left, and DNS leads nobody there any more: what is drained may be switched off. `Unknown` while policies name what is drained and `dnsShare` is absent.',
    InDns: 'The records of every policy that names what is drained follow the Drain; absent while no policy does.',
  },
};

const conditions = {
  description: 'What is true of it now, one entry a type.',
  type: 'array',
  maxItems: 32,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
    properties: {
      type: { type: 'string', maxLength: 316, pattern: '^[A-Z][A-Za-z0-9]*$' },
      status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
      observedGeneration: {
        description: 'The metadata.generation that this was said of.',
        type: 'integer',
        format: 'int64',
        minimum: 0,
      },
      lastTransitionTime: { description: 'When `status` changed last.', type: 'string', format: 'date-time' },
      reason: {
        description: 'Why: a name of the catalogue, see docs/reference/crds.md.',
        type: 'string',
        maxLength: 1024,
        pattern: '^[A-Z][A-Za-z0-9]*$',
      },
      message: { description: 'For people.', type: 'string', maxLength: 32_768 },
    },
  },
} as const;

const observedGeneration = {
  description: 'The newest metadata.generation that the status is about.',
  type: 'integer',
  format: 'int64',
  minimum: 0,
} as const;

/** The addresses in the status, in Gateway API's shape. */
const addresses = {
  description: 'The addresses that blades announce for the pool.',
  type: 'array',
  maxItems: 128,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    required: ['type', 'value'],
    properties: {
      type: { type: 'string', enum: ['IPAddress', 'Hostname'] },
      value: { type: 'string', minLength: 1, maxLength: 253 },
    },
    'x-kubernetes-validations': [
      { rule: "self.type != 'IPAddress' || isIP(self.value)", message: 'BadAddress: not an IPv4 or IPv6 address' },
    ],
  },
} as const;

/** A column of `kubectl get` prints the first value of a list only, so what is to be read there is a text as well. */
const lists = {
  vipList: {
    description: 'The VIPs in force, joined by commas: what `kubectl get` shows.',
    type: 'string',
    maxLength: 16_384,
  },
  addressList: {
    description: 'The values of `addresses`, joined by commas: what `kubectl get` shows.',
    type: 'string',
    maxLength: 16_384,
  },
} as const;

const count = (description: string) => ({ description, type: 'integer', format: 'int64', minimum: 0 }) as const;

/** What a Drain has not emptied yet. */
const left = {
  description:
    'What is left; absent while it is not known of one of the servers. The condition Empty says whether the machine may be switched off.',
  type: 'object',
  properties: {
    vips: count('VIPs that blades concerned announce.'),
    connections: count('Open connections of clients at blades concerned.'),
    requestsPerSecond: count('Requests a second at blades concerned.'),
    pods: count('Pods of the worker that are Ready, or of which nobody knows that they are not.'),
  },
} as const;

const share = (description: string) => ({ description, type: 'number', minimum: 0, maximum: 1 }) as const;

/** How far DNS follows a Drain of a cluster or site; written by whoever writes DNS. */
const followed = {
  dnsShare: share(
    'Share, of 1, of users whom DNS still leads to what is drained: of the host and address family of which most are, countries weighed by their demand. In the present health where it is known. Absent while nobody who writes DNS said it.',
  ),
  dnsShareByFamily: {
    description: 'The same by address family; a family is absent where no host has an answer in it.',
    type: 'object',
    properties: { ipv4: share('Of users who ask for IPv4.'), ipv6: share('Of users who ask for IPv6.') },
  },
  dnsEmptyAt: {
    description: 'When the last answer ends that resolvers may hold of before; absent while dnsShare is more than 0.',
    type: 'string',
    format: 'date-time',
  },
} as const;

/** What DNS holds of a TrafficPolicy. */
const steered = {
  specDigest: {
    description: 'Digest of the platform spec of the agent or command that wrote this, as `/status` of agents has it.',
    type: 'string',
    maxLength: 64,
  },
  zones: {
    description: 'The generation that each zone of the policy has.',
    type: 'array',
    maxItems: 16,
    'x-kubernetes-list-type': 'atomic',
    items: {
      type: 'object',
      required: ['provider', 'zone', 'generation', 'since'],
      properties: {
        provider: { type: 'string', maxLength: 63 },
        zone: { type: 'string', maxLength: 253 },
        generation: { description: 'It counts the writes of the zone.', type: 'integer', format: 'int64', minimum: 0 },
        since: { description: 'Since when it was seen there.', type: 'string', format: 'date-time' },
      },
    },
  },
  zoneList: {
    description: 'Provider and generation of each of `zones`, joined by commas: what `kubectl get` shows.',
    type: 'string',
    maxLength: 2048,
  },
} as const;

/** The schema of a kind's status. Only `/status` writes it; a status in a file is dropped. */
export function statusOf(kind: ApiKindName) {
  const types = Object.keys(conditionTypes[kind]);
  return {
    description: `Written by Tideline: ${types.length === 1 ? 'the condition' : 'the conditions'} ${types.join(', ')}.`,
    type: 'object',
    properties: {
      observedGeneration,
      ...(kind === 'EdgePool' ? { addresses, ...lists } : {}),
      ...(kind === 'TrafficPolicy' ? steered : {}),
      ...(kind === 'Drain' ? { left, ...followed } : {}),
      conditions,
    },
  };
}
