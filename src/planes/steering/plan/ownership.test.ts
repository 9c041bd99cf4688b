import { beforeAll, describe, expect, test } from 'vitest';
import { examplePlatform } from '../../../../test/support/steering/world.ts';
import { foreignRecord, ZoneInMemory } from '../../../../test/support/steering/zones.ts';
import type { RecordSet } from '../../../answers/record.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { applyZone } from './apply.ts';
import { isEmpty, type Purpose, planStep } from './plan.ts';
import { renderPlans } from './text.ts';

const zone = 'video.example';
const [www, api] = [`www.${zone}`, `api.${zone}`] as const;
let one: Platform;
let two: Platform;

beforeAll(async () => {
  one = await examplePlatform();
  two = withHosts(one, [www, api]);
});

/** The platform whose policy gives everybody these clusters. */
function withAll(
  platform: Platform,
  clusters: readonly { readonly name: string; readonly weight: number }[],
): Platform {
  const policies = [...platform.policies].map(([key, policy]) => {
    const spec = { ...policy.spec, rules: [], default: { clusters: [...clusters], failover: [] } };
    return [key, { ...policy, spec }] as const;
  });
  return { ...platform, policies: new Map(policies) };
}

const weighted = (id: string, weight: number): Partial<RecordSet> => ({
  setIdentifier: id,
  routing: { kind: 'weighted', weight },
});
const other = (id: string, description: string): Partial<RecordSet> => ({
  setIdentifier: id,
  routing: { kind: 'other', description, fields: { any: id } },
});

describe.each(['route53', 'powerdns'] as const)('%s', (name) => {
  const plan = (subject: ZoneInMemory, platform: Platform, purpose: Purpose = { kind: 'everything' }) =>
    planStep(platform, subject.provider, { zone, purpose }, 0);
  const apply = async (subject: ZoneInMemory, platform: Platform, purpose?: Purpose): Promise<void> =>
    applyZone(await plan(subject, platform, purpose), subject.provider);

  test.each<[string, readonly RecordSet[], string]>([
    ['an address of ours', [foreignRecord(www, 'A', '192.0.2.10')], 'paris'],
    ['a CNAME out of the zone', [foreignRecord(www, 'CNAME', 'old.cdn.example.')], 'old.cdn.example'],
    [
      'a CNAME to another name of the zone',
      [foreignRecord(www, 'CNAME', 'old.video.example.'), foreignRecord('old.video.example', 'A', '198.51.100.10')],
      'newyork',
    ],
    ...(name === 'route53' ? ofRoute53() : ofPowerDns()),
  ])('adopt: %s is replaced in one batch, and the plan says what answered before', async (_what, theirs, before) => {
    const beside = foreignRecord(www, 'TXT', '"v=1"');
    const subject = new ZoneInMemory(name, [...theirs, beside, foreignRecord(`mail.${zone}`, 'A', '192.0.2.9')]);
    expect((await plan(subject, two)).heldBack.map(({ host }) => host)).toEqual([www]);
    await apply(subject, two);
    const apiBefore = subject.texts((record) => record.name === api);
    const made = await plan(subject, two, { kind: 'adopt', host: www });
    expect(made.impacts.map(({ host }) => host)).toEqual([www]);
    expect(new Set(made.impacts[0]?.groups.map((group) => group.before))).toEqual(new Set([before]));
    expect(made.overGuard.map(({ kind }) => kind)).toContain('moves');
    expect(made.changes.delete).toEqual(expect.arrayContaining(theirs.filter((record) => record.name === www)));
    expect(made.batches).toHaveLength(1);
    await applyZone(made, subject.provider);
    expect(isEmpty(await plan(subject, two))).toBe(true);
    expect(subject.texts((record) => record.name === api)).toEqual(apiBefore);
    expect(subject.records).toEqual(expect.arrayContaining([beside]));
    expect(subject.texts(({ name: at }) => at === `mail.${zone}`)).toHaveLength(1);
  });

  test('adopt: users who got two addresses at once and get one of them are not answered as before', async () => {
    const both = [
      { name: 'paris', weight: 50 },
      { name: 'newyork', weight: 50 },
    ];
    const platform = withAll(one, both);
    const target = { kind: 'values' as const, ttlSeconds: 60, values: ['192.0.2.10', '198.51.100.10'] };
    const subject = new ZoneInMemory(name, [{ name: www, type: 'A', target }]);
    const adoption = await plan(subject, platform, { kind: 'adopt', host: www });
    expect(adoption.impacts[0]?.groups.map(({ allAtOnce, movedShare }) => [allAtOnce, movedShare])).toEqual([
      ['before', 0],
    ]);
    expect(renderPlans([adoption]).join('\n')).toMatch(
      /newyork 50%, paris 50%, of which each user gets one; before, each got all of them at once: AF \(all 57\)/,
    );
    await applyZone(adoption, subject.provider);
    const back = await plan(subject, platform, { kind: 'release', host: www, to: [{ name: www, type: 'A', target }] });
    expect(back.impacts[0]?.groups.map(({ allAtOnce }) => allAtOnce)).toEqual(['after']);
    expect(renderPlans([back]).join('\n')).toContain('gets all at once; before, each got one of them');
  });

  test('adopt touches no other host, also when that one differs from its policy', async () => {
    const subject = new ZoneInMemory(name);
    await apply(subject, withHosts(one, [api]));
    const apiBefore = subject.texts(({ name: at }) => at === api);
    subject.records = [...subject.records, foreignRecord(www, 'A', '192.0.2.10')];
    await apply(subject, withFailover(two, ['newyork']), { kind: 'adopt', host: www });
    expect(subject.texts(({ name: at }) => at === api)).toEqual(apiBefore);
    const { changes, heldBack } = await plan(subject, withFailover(two, ['newyork']));
    expect([changes.create.length > 0, heldBack]).toEqual([true, []]);
  });

  test('release: the host keeps its answers in one batch and leaves the registry; what replaced it can be put back', async () => {
    const subject = new ZoneInMemory(name);
    await apply(subject, two);
    const made = await plan(subject, two, { kind: 'release', host: www });
    expect(made.batches).toHaveLength(1);
    expect(made.notices.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(name === 'route53' ? ['FailoverLost', 'WeightsLost'] : ['ScriptStays']),
    );
    // GB alone has weights; everywhere else the answers are those of before.
    expect(made.impacts[0]?.movedShare).toBeLessThan(0.01);
    await applyZone(made, subject.provider);
    const after = await plan(subject, two);
    expect([after.changes.registryBefore.hosts, after.heldBack.map(({ host }) => host)]).toEqual([[api], [www]]);
    expect(subject.records.filter((record) => record.name === www && record.target.kind === 'alias')).toEqual([]);
    const plain = subject.records.filter((record) => record.name === www);
    await apply(subject, two, { kind: 'adopt', host: www });
    expect((await plan(subject, two)).changes.registryBefore.hosts).toEqual([api, www]);
    await apply(subject, two, { kind: 'release', host: www, to: plain });
    expect(subject.records.filter((record) => record.name === www)).toEqual(plain);
  });

  test('release of the last host leaves nothing of ours that answers', async () => {
    const subject = new ZoneInMemory(name);
    await apply(subject, one);
    await apply(subject, one, { kind: 'release', host: www });
    expect(subject.texts(({ name: at, type }) => at.endsWith(`._tideline.${zone}`) && type !== 'TXT')).toEqual([]);
    expect(subject.texts(({ name: at }) => at === `_tideline.${zone}`)).toHaveLength(1);
  });

  test('remove deletes what no policy names any more, and nothing else', async () => {
    const subject = new ZoneInMemory(name, [foreignRecord(`mail.${zone}`, 'A', '192.0.2.9')]);
    await apply(subject, two);
    const moved = withFailover(one, ['newyork']);
    const some = await plan(subject, moved, { kind: 'remove' });
    expect(some.overGuard).toEqual([{ kind: 'removal', host: api }]);
    const before = subject.texts(({ name: at }) => at === www);
    await applyZone(some, subject.provider);
    expect(subject.texts(({ name: at }) => at === api)).toEqual([]);
    expect(subject.texts(({ name: at }) => at === www)).toEqual(before);
    const none = { ...one, policies: new Map() };
    const all = await plan(subject, none, { kind: 'remove' });
    expect(all.overGuard).toEqual([{ kind: 'removal', host: www }]);
    await applyZone(all, subject.provider);
    expect(subject.texts()).toEqual([
      expect.stringMatching(
        /^_tideline\.video\.example TXT -> ("retired=0 [^"]*" )?"tideline v=2 generation=3 digest=\w+" ttl=60$/,
      ),
      `mail.${zone} A -> 192.0.2.9 ttl=60`,
    ]);
  });
});

test('a record that another service of the provider manages is not adopted', async () => {
  const managed = foreignRecord(www, 'A', '192.0.2.9', { routing: { kind: 'other', description: 'traffic policy=1' } });
  const subject = new ZoneInMemory('route53', [managed]);
  const made = await planStep(one, subject.provider, { zone, purpose: { kind: 'adopt', host: www } }, 0);
  expect([made.heldBack.map(({ reason }) => reason), isEmpty(made)]).toEqual([['NotAdoptable'], true]);
});

function ofPowerDns(): readonly [string, readonly RecordSet[], string][] {
  return [['an ALIAS', [foreignRecord(www, 'ALIAS', 'a.example.')], 'a.example']];
}

/** Record sets that only Route 53 has, and what the plan says about them. */
function ofRoute53(): readonly [string, readonly RecordSet[], string][] {
  const alias: RecordSet['target'] = { kind: 'alias', name: 'lb.elb.example', evaluateHealth: true, zoneId: 'Z2' };
  const geo = (country: string): Partial<RecordSet> => ({
    setIdentifier: country,
    routing: { kind: 'geo', location: country === '*' ? '*' : { country } },
  });
  return [
    ['an alias out of the zone', [foreignRecord(www, 'A', '', { target: alias })], 'lb.elb.example'],
    [
      'weights',
      [
        foreignRecord(www, 'A', '192.0.2.10', weighted('a', 3)),
        foreignRecord(www, 'A', '198.51.100.10', weighted('b', 1)),
      ],
      'newyork 25%, paris 75%',
    ],
    [
      'multivalue',
      [
        foreignRecord(www, 'A', '192.0.2.10', other('a', 'multivalue')),
        foreignRecord(www, 'A', '198.51.100.10', other('b', 'multivalue')),
      ],
      'newyork 50%, paris 50%',
    ],
    [
      'latency',
      [
        foreignRecord(www, 'A', '192.0.2.10', other('a', 'latency=eu-west-1')),
        foreignRecord(www, 'A', '198.51.100.10', other('b', 'latency=us-east-1')),
      ],
      'one of 192.0.2.10, 198.51.100.10 by latency',
    ],
    [
      'geolocation',
      [foreignRecord(www, 'A', '192.0.2.10', geo('*')), foreignRecord(www, 'A', '192.0.2.10', geo('FR'))],
      'paris',
    ],
  ];
}

function withHosts(platform: Platform, hosts: readonly string[]): Platform {
  const policies = new Map(
    [...platform.policies].map(([key, policy]) => [key, { ...policy, spec: { ...policy.spec, hosts: [...hosts] } }]),
  );
  return { ...platform, policies };
}

function withFailover(platform: Platform, failover: string[]): Platform {
  const policies = new Map(
    [...platform.policies].map(([key, policy]) => {
      const changed = { clusters: [{ name: 'paris', weight: 100 }], failover };
      return [key, { ...policy, spec: { ...policy.spec, default: changed } }];
    }),
  );
  return { ...platform, policies };
}
