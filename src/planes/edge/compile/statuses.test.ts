import { describe, expect, it } from 'vitest';
import { stateFromYaml } from '../../../../test/support/cluster-state.ts';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import { compile } from './compile.ts';
import { poolStatus } from './pool-status.ts';
import { IngressStatuses, recoveryEvents, refusalEvents } from './statuses.ts';

const nowMs = Date.parse('2026-11-26T00:00:00Z');

const addresses = ['192.0.2.11', '192.0.2.10'];
const shown = 'status: { loadBalancer: { ingress: [{ ip: 192.0.2.10 }, { ip: 192.0.2.11 }] } }';
const pool = poolForTests();
const { ingressClass } = pool.spec;
const platform = platformForTests();

function ingress(
  name: string,
  options: { readonly host?: string; readonly spec?: string; readonly status?: string } = {},
): string {
  const { host = `${name}.example`, spec = 'ingressClassName: tideline', status = '' } = options;
  return `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name}, namespace: video, uid: uid-${name}, resourceVersion: "7", creationTimestamp: "2026-01-0${name.length}T00:00:00Z" }
spec:
  ${spec}
  rules:
    - host: "${host}"
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] }
${status}
`;
}

function compiled(...documents: readonly string[]) {
  const service =
    'apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: video }\nspec: { ports: [{ port: 80 }] }';
  const state = stateFromYaml([service, ...documents].join('\n---\n'));
  const readCertificate = () => ({ ok: false, fault: { reason: 'SecretMissing', message: 'none' } }) as never;
  return { state, conditions: compile({ state, platform, pool, readCertificate, nowMs }).conditions };
}

function statuses(...documents: readonly string[]) {
  return new IngressStatuses()
    .compute({ ...compiled(...documents), addresses, poolAddresses: addresses, ingressClass })
    .map(({ object, wanted, held }) => ({ name: object.name, wanted, held }));
}

const both = { loadBalancer: { ingress: [{ ip: '192.0.2.10' }, { ip: '192.0.2.11' }] } };

describe('the status of Ingresses', () => {
  it.each([
    ['ours and new: the addresses, in one order', ingress('web'), { wanted: both, held: undefined }],
    ['ours and shown: the same', ingress('web', { status: shown }), { wanted: both, held: both }],
    [
      'ours, shown elsewhere: what is there is told',
      ingress('web', { status: 'status: { loadBalancer: { ingress: [{ hostname: a.example }] } }' }),
      { wanted: both, held: { loadBalancer: { ingress: [{ hostname: 'a.example' }] } } },
    ],
    [
      'ours with an empty status: none',
      ingress('web', { status: 'status: { loadBalancer: {} }' }),
      { wanted: both, held: undefined },
    ],
    ['refused and shown: taken back', ingress('web', { host: 'X', status: shown }), { wanted: undefined, held: both }],
    [
      'of another class and shown: taken back',
      ingress('web', { spec: 'ingressClassName: nginx', status: shown }),
      { wanted: undefined, held: both },
    ],
  ])('%s', (_, document, expected) => {
    expect(statuses(document)).toEqual([{ name: 'web', ...expected }]);
  });

  it.each([
    ['refused, nothing shown', ingress('web', { host: 'X' })],
    ['of another class, nothing shown', ingress('web', { spec: 'ingressClassName: nginx' })],
    [
      "of another class, another's address shown",
      ingress('web', {
        spec: 'ingressClassName: nginx',
        status: 'status: { loadBalancer: { ingress: [{ ip: 198.51.100.7 }] } }',
      }),
    ],
  ])('%s: none of ours', (_, document) => {
    expect(statuses(document)).toEqual([]);
  });

  it('is exclusive where the IngressClass names our controller, and only for what serves', () => {
    const ofClass = (controller: string) =>
      `apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: { name: tideline }\nspec: { controller: ${controller} }`;
    const exclusive = (...documents: readonly string[]) =>
      new IngressStatuses()
        .compute({ ...compiled(...documents), addresses, poolAddresses: addresses, ingressClass })
        .map(({ exclusive }) => exclusive);
    const refused = ingress('ww', { host: 'X', status: shown });
    expect(exclusive(ingress('web'), refused)).toEqual([false, false]);
    expect(exclusive(ingress('web'), refused, ofClass('tideline.dev/edge'))).toEqual([true, false]);
  });

  it('gives the same objects again for what did not change', () => {
    const all = new IngressStatuses();
    const input = { ...compiled(ingress('web'), ingress('other')), poolAddresses: addresses, ingressClass };
    const [first] = all.compute({ ...input, addresses });
    expect(all.compute({ ...input, addresses: addresses.toReversed() })[0]).toBe(first);
    expect(all.compute({ ...input, addresses: ['192.0.2.10'] })[0]).not.toBe(first);
  });

  it('sorts, and gives one that serves in part the addresses', () => {
    const names = statuses(
      ingress('www'),
      ingress('b', { spec: 'ingressClassName: tideline\n  tls: [{ hosts: [no.example] }]' }),
    );
    expect(names.map(({ name, wanted }) => [name, wanted])).toEqual([
      ['b', both],
      ['www', both],
    ]);
  });
});

describe('events', () => {
  it('name the field, what it means and what to do, one for each reason', () => {
    const events = refusalEvents(
      compiled(ingress('web'), ingress('young', { host: 'web.example' }), ingress('bad', { host: 'X' })),
    );
    expect(events).toEqual([
      {
        object: {
          apiVersion: 'networking.k8s.io/v1',
          kind: 'Ingress',
          resource: 'ingresses',
          namespace: 'video',
          name: 'bad',
          uid: 'uid-bad',
        },
        type: 'Warning',
        reason: 'HostInvalid',
        fieldPath: 'spec.rules[0].host',
        note: expect.stringMatching(/^"?X"? is not a host\. A rule names .* Fix: write the host in lower case, .*\.$/),
      },
      expect.objectContaining({
        reason: 'PathConflict',
        note: expect.stringContaining('web.example/ belongs to Ingress video/web.'),
      }),
    ]);
  });

  it('tell once that an Ingress is good again', () => {
    const before = compiled(ingress('web', { host: 'X' }), ingress('good')).conditions;
    const after = compiled(ingress('web'), ingress('good'));
    expect(recoveryEvents(before, after)).toMatchObject([
      { type: 'Normal', reason: 'Accepted', object: { name: 'web' } },
    ]);
    expect(recoveryEvents(after.conditions, after)).toEqual([]);
    expect(recoveryEvents(before, compiled(ingress('good')))).toEqual([]);
  });
});

describe('the status of the pool', () => {
  const view = {
    pool: 'paris-edge',
    conditions: [],
    platformInvalid: false,
    fitBlades: 2,
    blades: 2,
    announced: ['192.0.2.10'],
    vips: ['192.0.2.10'],
    addresses: ['192.0.2.10'],
  };
  const problem = { reason: 'SecretMissing' as const, path: 'spec.defaultCertificate', message: 'no Secret a/b' };

  it.each([
    ['all well', {}, 'Accepted:Accepted ResolvedRefs:Accepted Programmed:TableServed Ready:VipsAnnounced'],
    [
      'blades that tell one spec',
      {
        specs: [
          { blade: 'b1', digest: 'aa' },
          { blade: 'b2', digest: 'aa' },
        ],
      },
      'Accepted:Accepted ResolvedRefs:Accepted SameSpec:Accepted Programmed:TableServed Ready:VipsAnnounced',
    ],
    [
      'blades of different specs',
      {
        specs: [
          { blade: 'b1', digest: 'aa' },
          { blade: 'b2', digest: 'bb' },
        ],
      },
      'Accepted:Accepted ResolvedRefs:Accepted !SameSpec:SpecsDiffer Programmed:TableServed Ready:VipsAnnounced',
    ],
    [
      'a bad platform folder',
      { platformInvalid: true },
      '!Accepted:PlatformInvalid ResolvedRefs:Accepted Programmed:TableServed Ready:VipsAnnounced',
    ],
    [
      'an object that says something else',
      { differsIn: 'spec.vips[1]' },
      '!Accepted:SpecDiffers ResolvedRefs:Accepted Programmed:TableServed Ready:VipsAnnounced',
    ],
    [
      'a table that nginx refuses',
      { tableRefused: 'full' },
      'Accepted:Accepted ResolvedRefs:Accepted !Programmed:TableRefused Ready:VipsAnnounced',
    ],
    [
      'no fit blade',
      { fitBlades: 0 },
      'Accepted:Accepted ResolvedRefs:Accepted !Programmed:NoBladeFit Ready:VipsAnnounced',
    ],
    [
      'a VIP without announcer',
      { announced: [] },
      'Accepted:Accepted ResolvedRefs:Accepted Programmed:TableServed !Ready:VipNotAnnounced',
    ],
    [
      'a missing certificate',
      { conditions: [{ object: 'EdgePool/paris-edge', state: 'partial' as const, problems: [problem] }] },
      'Accepted:Accepted !ResolvedRefs:SecretMissing Programmed:TableServed Ready:VipsAnnounced',
    ],
  ])('%s', (_, change, expected) => {
    const { conditions, addresses: values } = poolStatus({ ...view, ...change });
    const text = conditions
      .map(({ type, status, reason }) => `${status === 'True' ? '' : '!'}${type}:${reason}`)
      .join(' ');
    expect(text).toBe(expected);
    expect(values).toEqual([{ type: 'IPAddress', value: '192.0.2.10' }]);
  });
});
