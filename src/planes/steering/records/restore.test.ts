import { describe, expect, test } from 'vitest';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { examplePlatform, withHost } from '../../../../test/support/steering/world.ts';
import { foreignRecord, ZoneInMemory } from '../../../../test/support/steering/zones.ts';
import { powerDnsDialect } from '../dialects/powerdns/dialect.ts';
import { dialects } from '../dialects/table.ts';
import { applyZone } from '../plan/apply.ts';
import { hostRecord } from './host-records.ts';
import { registryOf } from './registry.ts';
import { restorationOf } from './restore.ts';

const zone = 'video.example';
const [www, api] = [`www.${zone}`, `api.${zone}`] as const;
const registry = `_tideline.${zone}`;
const nowMs = Date.parse('2026-11-27T12:00:00Z');

describe.each(['route53', 'powerdns'] as const)('%s', (name) => {
  const written = async (): Promise<ZoneInMemory> => {
    const subject = new ZoneInMemory(name, [foreignRecord(`mail.${zone}`, 'A', '192.0.2.9')]);
    await applyZone(
      await planZone(withHost(await examplePlatform(), api), subject.provider, zone, 0),
      subject.provider,
    );
    return subject;
  };
  const restore = (subject: ZoneInMemory) => restorationOf(zone, subject.records, dialects[name], nowMs);
  const apply = async (subject: ZoneInMemory): Promise<void> => {
    const state = await subject.provider.read(zone);
    for (const batch of restore(subject).batches) await subject.provider.applyBatch(state, batch, new Map());
  };

  test.each<[string, readonly string[]]>([
    ['lost', []],
    ['without its head', [`"host=${www}"`, `"host=${api}"`]],
    ['with a value that somebody added', ['"tideline v=1 generation=7 digest=abc"', `"host=${www}"`, '"v=spf1 -all"']],
  ])(
    'a generation record that is %s is rebuilt, and the next plan has nothing to write but it',
    async (_what, values) => {
      const subject = await written();
      const whole = await written();
      subject.records = subject.records.filter((record) => record.name !== registry);
      if (values.length > 0) {
        const target = { kind: 'values', ttlSeconds: 60, values } as const;
        subject.records = [...subject.records, foreignRecord(registry, 'TXT', '', { target })];
      }
      const { recognised, left, generation } = restore(subject);
      expect([recognised.map(({ host }) => host), left]).toEqual([[api, www], []]);
      expect(generation).toBe(20_784_000);
      await apply(subject);
      expect(restore(subject).batches).toEqual([]);
      const plan = await planZone(withHost(await examplePlatform(), api), subject.provider, zone, 0);
      expect([plan.heldBack, plan.changes.create, plan.changes.delete]).toEqual([[], [], []]);
      await applyZone(plan, subject.provider);
      const answers = (one: ZoneInMemory) => one.texts((record) => !record.name.startsWith('_'));
      expect(answers(subject)).toEqual(answers(whole));
    },
  );

  test('a record that is whole stays; a host whose record was deleted by hand is listed again', async () => {
    const subject = await written();
    expect(restore(subject).batches).toEqual([]);
    subject.records = subject.records.filter(({ name: one }) => one !== hostRecord(zone, api).name);
    expect(restore(subject)).toMatchObject({ generation: 2, recognised: [{ host: api }, { host: www }] });
  });

  test('a host that is ours only in part is left and named, and so is a listed one that is somebody else’s', async () => {
    const subject = await written();
    const values = ['"tideline v=1 generation=3"', `"host=mail.${zone}"`];
    const target = { kind: 'values', ttlSeconds: 60, values } as const;
    const touched =
      name === 'route53'
        ? subject.records.map((record) =>
            record.name === api && record.setIdentifier === 'FR'
              ? { ...record, target: { kind: 'values', ttlSeconds: 60, values: ['192.0.2.66'] } as const }
              : record,
          )
        : [...subject.records, foreignRecord(api, 'A', '192.0.2.66')];
    subject.records = [
      ...touched.filter((record) => record.name !== registry),
      foreignRecord(registry, 'TXT', '', { target }),
    ];
    const { recognised, left } = restore(subject);
    expect(recognised.map(({ host }) => host)).toEqual([www]);
    expect(left.map(({ host }) => host).sort()).toEqual([api, `mail.${zone}`]);
    await apply(subject);
    expect(registryOf(zone, subject.records).hosts).toEqual([www]);
  });

  test('a TXT record of somebody else at the name is not replaced', async () => {
    const subject = await written();
    subject.records = [
      ...subject.records.filter((record) => record.name !== registry),
      foreignRecord(registry, 'TXT', '"v=spf1 -all"'),
    ];
    expect(() => restore(subject)).toThrow(
      /nothing in _tideline\.video\.example TXT is of Tideline.*\(UnreadableRegistry\)/,
    );
  });

  test('a zone of many hosts is restored in several batches; what stands between them is no start for a plan', async () => {
    const many = Array.from({ length: 460 }, (_, n) => `${'a-long-label-'.repeat(4)}${n}.below-a-label.${zone}`);
    const subject = new ZoneInMemory(name);
    const platform = await examplePlatform();
    const video = platform.policies.get('video');
    if (video === undefined) throw new Error('no policy');
    const spec = { ...video.spec, hosts: many };
    const policies = new Map([['video', { ...video, spec }]]);
    await applyZone(await planZone({ ...platform, policies }, subject.provider, zone, 0), subject.provider);
    subject.records = subject.records.filter((one) => one.name !== registry && !one.name.startsWith('_host-'));
    const state = await subject.provider.read(zone);
    const [first, ...others] = restore(subject).batches;
    if (first === undefined) throw new Error('no batch');
    expect(others.length).toBe(name === 'route53' ? 1 : 0);
    await subject.provider.applyBatch(state, first, new Map());
    if (others.length > 0) expect(() => registryOf(zone, subject.records)).toThrow('UnreadableRegistry');
    await apply(subject);
    expect([registryOf(zone, subject.records).hosts, restore(subject).batches]).toEqual([many.toSorted(), []]);
  });

  test('an empty zone needs no restoration', () => {
    expect(restore(new ZoneInMemory(name))).toMatchObject({ batches: [], recognised: [], left: [] });
  });
});

test('a script whose code was changed is not ours beyond doubt', async () => {
  const subject = new ZoneInMemory('powerdns');
  await applyZone(await planZone(await examplePlatform(), subject.provider, zone, 0), subject.provider);
  const [lua] = subject.records.filter(({ type }) => type === 'LUA');
  if (lua?.target.kind !== 'values') throw new Error('no script');
  for (const [from, to] of [
    ['return p(l[1],d)', "return '192.0.2.66'"],
    [' local c={', ' os.execute() local c={'],
  ] as const) {
    const values = lua.target.values.map((value) => value.replace(from, to));
    expect(values).not.toEqual(lua.target.values);
    const changed = { ...lua, target: { ...lua.target, values } };
    expect(powerDnsDialect.recognise(www, [changed], zone)?.isOurs).not.toBe(true);
  }
  expect(powerDnsDialect.recognise(www, [lua], zone)?.isOurs).toBe(true);
});
