import fc from 'fast-check';
import { apiVersion } from '../../../src/model/contract.ts';
import { countries } from '../../../src/model/geo/countries.ts';
import { states } from '../../../src/model/geo/states.ts';
import { type ApiKindName } from '../../../src/model/spec/kinds.ts';
import { address, prefixesApart } from './spec-addresses.ts';

// Generators of valid objects of every kind, as a person may write them: optional fields present or absent, addresses in any spelling.
const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,12}[a-z0-9])?$/);
const names = (max: number) => fc.uniqueArray(name, { minLength: 1, maxLength: max });
const port = fc.integer({ min: 1, max: 65_535 });
const asn = fc.integer({ min: 1, max: 4_294_967_294 });
const real = (min: number, max: number) => fc.double({ min, max, noNaN: true, noDefaultInfinity: true });
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const limit = fc.integer({ min: 1, max: 1_000_000 });

/** An object with all `required` fields and any of the `optional` ones. */
function record<T extends Record<string, fc.Arbitrary<unknown>>, O extends Record<string, fc.Arbitrary<unknown>>>(
  required: T,
  optional: O,
) {
  return fc.record({ ...required, ...optional }, { requiredKeys: Object.keys(required) as never[] });
}

const labelText = fc.stringMatching(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?$/);
const labelKey = fc.oneof(
  labelText,
  labelText.map((key) => `video.example/${key}`),
);
const metadata = record(
  { name },
  {
    labels: fc.dictionary(labelKey, fc.oneof(labelText, fc.constant('')), { maxKeys: 3, noNullPrototype: true }),
    annotations: fc.dictionary(labelKey, fc.string({ unit: 'grapheme' }), { maxKeys: 3, noNullPrototype: true }),
  },
);

const site = prefixesApart.chain((prefixes) =>
  record(
    {
      type: fc.constantFrom('datacentre', 'cloud'),
      location: fc.record({
        country: fc.constantFrom(...countries.map(({ code }) => code)),
        latitude: real(-90, 90),
        longitude: real(-180, 180),
      }),
      serverAsn: asn,
      prefixes: fc.constant(prefixes),
    },
    {
      routers: fc.uniqueArray(fc.record({ name, address, asn }), { maxLength: 4, selector: (router) => router.name }),
      limits: fc.record(
        { maxRoutesPerServer: limit, maxAnnouncementsPerMinute: limit, maxWithdrawalsPerMinute: limit },
        { requiredKeys: [] },
      ),
    },
  ),
);

const cluster = record(
  {
    sites: names(4),
    source: fc.oneof(
      fc.record({ manifests: text }),
      record({ kubeconfig: text }, { context: text }),
      fc.constant({ none: true }),
    ),
    entry: fc.oneof(
      fc.record({ edgePool: name }),
      fc.record({ anycast: fc.array(address, { minLength: 1, maxLength: 2 }) }),
    ),
  },
  {
    healthCheck: fc.record(
      {
        protocol: fc.constantFrom('HTTP', 'HTTPS'),
        port,
        intervalSeconds: fc.constantFrom(10, 30),
        failureThreshold: fc.integer({ min: 1, max: 10 }),
      },
      { requiredKeys: [] },
    ),
    capacity: fc.record({ requestsPerSecond: real(0.001, 1e9) }),
    cost: fc.record({ perMillionRequests: real(0, 1e6), currency: fc.stringMatching(/^[A-Z]{3}$/) }),
  },
);

const blades = fc.uniqueArray(fc.record({ name, address }), {
  minLength: 1,
  maxLength: 5,
  selector: (blade) => blade.name,
});
const edgePool = blades.chain((some) =>
  record(
    {
      cluster: name,
      blades: fc.constant(some),
      vips: fc.array(record({ address }, { scope: fc.constantFrom('public', 'private') }), {
        minLength: 1,
        maxLength: 3,
      }),
    },
    {
      ports: fc.record({ http: port, https: port }, { requiredKeys: [] }),
      ingressClass: name,
      defaultCertificate: fc.record({ namespace: name, secret: name }),
      minAnnouncers: fc.integer({ min: 1, max: some.length }),
      leaseSeconds: real(1, 60),
      https: fc.record(
        {
          redirect: fc.boolean(),
          redirectCode: fc.constantFrom(301, 302, 307, 308),
          hsts: fc.record(
            { enabled: fc.boolean(), maxAgeSeconds: fc.nat(), includeSubDomains: fc.boolean(), preload: fc.boolean() },
            { requiredKeys: [] },
          ),
        },
        { requiredKeys: [] },
      ),
      trustedProxies: record(
        { prefixes: fc.constantFrom(['10.0.0.0/8'], ['2001:db8::/32', '192.0.2.0/24']) },
        { via: fc.constantFrom('forwardedHeaders', 'proxyProtocol') },
      ),
      maxBodyMiB: fc.integer({ min: 1, max: 1_048_576 }),
      clients: fc.record(
        { requests: fc.integer({ min: 1, max: 65_535 }), bodies: fc.integer({ min: 1, max: 65_535 }) },
        { requiredKeys: [] },
      ),
      ignoreAccessAnnotations: fc.boolean(),
      drain: fc.record({ graceSeconds: real(0, 1e6) }, { requiredKeys: [] }),
    },
  ),
);

/** Clusters and failover in which no name occurs twice. */
const answer = names(6).chain((some) =>
  fc.tuple(fc.integer({ min: 1, max: some.length }), fc.integer({ min: 1, max: 255 })).chain(([own, weight]) =>
    record(
      {
        clusters: fc.constant(
          some.slice(0, own).map((one, index) => (index === 0 ? { name: one } : { name: one, weight: weight % index })),
        ),
      },
      { failover: fc.constant(some.slice(own)) },
    ),
  ),
);
const place = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...countries) },
  { weight: 1, arbitrary: fc.constantFrom(...states) },
);
const who = fc.uniqueArray(
  place.map(({ code }) => code),
  { minLength: 1, maxLength: 12 },
);
const never = record(
  { clusters: names(3), countries: who },
  { continents: fc.subarray(['AF', 'EU', 'AS', 'OC']), unknownLocation: fc.boolean() },
);

const trafficPolicy = fc
  .tuple(fc.stringMatching(/^[a-z]{2,8}\.[a-z]{2,6}$/), who, fc.array(answer, { maxLength: 4 }))
  .chain(([zone, codes, answers]) =>
    record(
      {
        hosts: fc.uniqueArray(
          fc.oneof(
            fc.constant(zone),
            name.map((label) => `${label}.${zone}`),
          ),
          { minLength: 1, maxLength: 5 },
        ),
        dns: fc.record({
          zone: fc.constant(zone),
          providers: fc.uniqueArray(fc.constantFrom('route53', 'powerdns'), { minLength: 1 }),
        }),
        default: answer,
      },
      {
        ttlSeconds: fc.integer({ min: 1, max: 86_400 }),
        rules: fc.constant(
          answers.map((one, index) => {
            const own = codes.filter((_, at) => at % answers.length === index);
            return own.length > 0
              ? { countries: own, networks: [`10.${index}.0.0/16`, `2001:db8:${index + 1}::/48`], ...one }
              : { continents: ['AF', 'EU', 'AS', 'OC'].slice(index, index + 1), ...one };
          }),
        ),
        never: fc.array(never, { maxLength: 3 }),
        minReadyRatio: real(0, 1),
        guard: fc.record({ maxTrafficShare: real(0, 1) }, { requiredKeys: [] }),
      },
    ),
  );

const time = fc
  .tuple(
    fc.date({ min: new Date('1970-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
    fc.constantFrom('Z', '+02:00', '-11:30', '+00:00'),
  )
  .map(([date, zone]) => date.toISOString().replace('Z', zone));

const drain = fc.record({
  target: fc.record({ kind: fc.constantFrom('Site', 'Cluster', 'Blade', 'Worker'), name }),
  reason: text,
  expires: time,
});

const freeze = fc.record(
  { reason: text, by: text, since: time, until: time },
  { requiredKeys: ['reason', 'by', 'since'] },
);

const proposal = {
  policy: name,
  owner: text,
  afterwards: fc.constantFrom('stay', 'return'),
  expires: time,
  rules: fc.tuple(who, fc.array(answer, { minLength: 1, maxLength: 3 })).map(([codes, answers]) =>
    answers.map((one, index) => {
      const own = codes.filter((_, at) => at % answers.length === index);
      return own.length > 0
        ? { countries: own, ...one }
        : { continents: ['AF', 'EU', 'AS'].slice(index, index + 1), ...one };
    }),
  ),
};
const trafficOverlay = fc.record(
  { ...proposal, reason: text, renewed: time, silentAfterMinutes: fc.integer({ min: 1, max: 10_080 }) },
  { requiredKeys: ['policy', 'owner', 'expires', 'rules', 'reason'] },
);

const trafficVerdict = fc.record({
  overlay: name,
  verdict: fc.constantFrom('approve', 'reject'),
  by: text,
  at: time,
  reason: text,
  proposal: fc.record(proposal, { requiredKeys: ['policy', 'owner', 'expires', 'rules'] }),
});

const specs: Readonly<Record<ApiKindName, fc.Arbitrary<object>>> = {
  Site: site,
  Cluster: cluster,
  EdgePool: edgePool,
  TrafficPolicy: trafficPolicy,
  Drain: drain,
  Freeze: freeze,
  TrafficOverlay: trafficOverlay,
  TrafficVerdict: trafficVerdict,
};

/** An object that is valid, unless random addresses happen to overlap. */
export function objectOf(kind: ApiKindName): fc.Arbitrary<object> {
  return fc
    .record({ metadata, spec: specs[kind] })
    .map((rest) => JSON.parse(JSON.stringify({ apiVersion, kind, ...rest })) as object);
}
