import { expect, test } from 'vitest';
import { withDrainOf } from '../../../../test/support/steering/agent.ts';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { examplePlatform, withDefault, withHost, withIPv6On } from '../../../../test/support/steering/world.ts';
import { foreignRecord, ZoneInMemory } from '../../../../test/support/steering/zones.ts';
import type { RecordSet } from '../../../answers/record.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import { isHostRecord } from '../records/host-records.ts';
import { isNote } from '../records/registry.ts';
import { applyZone } from './apply.ts';
import { readDrifts } from './drift.ts';
import { driftsToJson, renderDrifts } from './drift-text.ts';
import { readHistories, renderHistories } from './history.ts';

const zone = 'video.example';
const startMs = Date.UTC(2026, 10, 27, 16);

async function applied(name: ProviderName, platform: Platform): Promise<ZoneInMemory> {
  const subject = new ZoneInMemory(name);
  await applyZone(await planZone(platform, subject.provider, zone, startMs, { by: 'anna' }), subject.provider);
  return subject;
}

/** What is told of the zone when the policies are those of today. */
async function told(subject: ZoneInMemory, today: Platform) {
  const at = [{ provider: subject.provider.name, zone }];
  const drifts = await readDrifts(today, at, async () => subject.provider, { nowMs: startMs + 60_000 });
  const [history = ''] = renderHistories(await readHistories(at, async () => subject.provider)).slice(1);
  return { drift: drifts[0], lines: renderDrifts(drifts), history, json: driftsToJson(drifts) };
}

function change(
  subject: ZoneInMemory,
  of: (record: RecordSet) => boolean,
  to: (record: RecordSet) => RecordSet[],
): void {
  subject.records = subject.records.flatMap((record) => (of(record) ? to(record) : [record]));
}

const isFrance = ({ name, routing }: RecordSet): boolean =>
  name === 'www.video.example' && routing?.kind === 'geo' && JSON.stringify(routing).includes('"FR"');

test.each(['route53', 'powerdns'] as const)(
  '%s: a zone that nobody edited is as it was written, whatever the policies want by now',
  async (name) => {
    const platform = await examplePlatform();
    const subject = await applied(name, withDrainOf(platform, 'paris', startMs + 1000));
    const { drift, lines, history } = await told(subject, withDefault(platform, 'newyork'));
    expect(drift).toMatchObject({ isEdited: false, comparedWith: 'applied', records: [], checks: [] });
    expect(lines).toEqual([`${name} zone ${zone}, generation 1: as anna applied it at 2026-11-27T16:00:00Z`]);
    expect(history).toMatch(/, in force$/);
  },
);

test('a record that somebody changed is told as it was and is, and who benefits; changes of the policies are none of it', async () => {
  const platform = await examplePlatform();
  const subject = await applied('route53', platform);
  const france = subject.records.find(isFrance);
  const other = subject.records.find(
    ({ name, type, target }) =>
      name === france?.name && type === 'A' && JSON.stringify(target) !== JSON.stringify(france.target),
  );
  change(subject, isFrance, (record) => [{ ...record, target: (other as RecordSet).target }]);
  const { drift, lines, history, json } = await told(subject, withDefault(platform, 'newyork'));
  expect(lines[0]).toBe(
    `route53 zone ${zone}, generation 1: edited by somebody else since anna applied it at 2026-11-27T16:00:00Z`,
  );
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^ {4}- www\.video\.example A .*FR/),
      expect.stringMatching(/^ {4}\+ www\.video\.example A .*FR/),
      '  newyork gains 0.1% of the traffic, paris loses 0.1% of the traffic',
      '    www.video.example: paris -> newyork 30%, paris 70%: FR',
    ]),
  );
  expect(drift).toMatchObject({ isEdited: true, comparedWith: 'applied', records: [{ edit: 'changed' }] });
  expect(json).toMatchObject({
    zones: [{ records: [{ was: expect.stringContaining('FR') }], applied: { by: 'anna' } }],
  });
  expect(history).toMatch(/, edited since by somebody else$/);
});

test('an edit of one address family is told of that family', async () => {
  const platform = withIPv6On(await examplePlatform(), 'paris', 'newyork', 'cloud');
  const subject = await applied('route53', platform);
  const editFrance = (type: string): void =>
    change(
      subject,
      (record) => isFrance(record) && record.type === type,
      (record) => {
        const other = subject.records.find(
          ({ name, type: one, target }) =>
            name === record.name && one === type && JSON.stringify(target) !== JSON.stringify(record.target),
        );
        return [{ ...record, target: (other as RecordSet).target }];
      },
    );
  editFrance('AAAA');
  const { drift, lines } = await told(subject, platform);
  expect(lines).toEqual(
    expect.arrayContaining([
      '  newyork gains 0.1% of the traffic over IPv6, paris loses 0.1% of the traffic over IPv6',
      '    www.video.example over IPv6: paris -> newyork 30%, paris 70%: FR',
    ]),
  );
  expect(drift).toMatchObject({ shares: [{ to: 'newyork', family: 'IPv6' }, { to: 'paris' }] });
  editFrance('A');
  expect((await told(subject, platform)).lines).toContain(
    '  newyork gains 0.1% of the traffic, paris loses 0.1% of the traffic',
  );
});

test.each<[string, (subject: ZoneInMemory) => void, object]>([
  ['deleted', (subject) => change(subject, isFrance, () => []), [{ edit: 'deleted' }]],
  [
    'added below our name',
    (subject) => {
      subject.records = [...subject.records, foreignRecord(`x._tideline.${zone}`, 'A', '203.0.113.66')];
    },
    [{ edit: 'added' }],
  ],
  [
    'a host record deleted',
    (subject) =>
      change(
        subject,
        ({ name }) => isHostRecord(zone, name),
        () => [],
      ),
    [{ edit: 'deleted', was: { name: expect.stringMatching(/^_host-/) } }],
  ],
])('a record that is %s is named', async (_, edit, records) => {
  const platform = await examplePlatform();
  const subject = await applied('route53', platform);
  edit(subject);
  expect((await told(subject, platform)).drift).toMatchObject({ isEdited: true, comparedWith: 'applied', records });
});

test('a health check that somebody inverted, changed or deleted is named, and whom it leads elsewhere', async () => {
  const platform = await examplePlatform();
  const subject = await applied('route53', platform);
  const { healthChecks } = await subject.provider.read(zone);
  const checks = healthChecks as Map<string, { id: string; version: number; settings: object }>;
  const paris = subject.records.find(({ target }) => target.kind === 'values' && target.values[0] === '192.0.2.10');
  const key = paris?.healthCheck ?? '';
  const held = healthChecks.get(key);
  if (held === undefined) throw new Error('paris has no check');
  checks.set(key, { ...held, settings: { ...held.settings, inverted: true, failureThreshold: 9 } });
  const { lines, history } = await told(subject, platform);
  expect(lines).toContain(`  health check ${held.id} of 192.0.2.10: failureThreshold 3 -> 9, inverted false -> true`);
  expect(lines.join('\n')).toMatch(/cloud gains [\d.]+% of the traffic, .*paris loses/);
  expect(history).toMatch(/, edited since by somebody else$/);
  checks.delete(key);
  expect((await told(subject, platform)).drift).toMatchObject({
    checks: [{ address: '192.0.2.10', change: 'deleted' }],
  });
});

test('where the zone has forgotten what was applied, it is compared with the policies of today, and that is said', async () => {
  const platform = await examplePlatform();
  const subject = await applied('route53', platform);
  subject.records = subject.records.filter(({ name }) => !isNote(zone, name));
  expect((await told(subject, platform)).lines).toEqual([`route53 zone ${zone}, generation 1: as somebody applied it`]);
  change(subject, isFrance, () => []);
  const { lines, drift } = await told(subject, platform);
  expect(lines[0]).toMatch(/what was written then is not known any more: compared with what the policies want today$/);
  expect(drift).toMatchObject({ comparedWith: 'policies', records: [{ edit: 'deleted' }] });
});

test('hosts that were held back are no part of what was written', async () => {
  const platform = withHost(await examplePlatform(), 'other.video.example');
  const subject = new ZoneInMemory('route53', [foreignRecord('other.video.example', 'A', '203.0.113.99')]);
  await applyZone(await planZone(platform, subject.provider, zone, startMs, { by: 'anna' }), subject.provider);
  expect((await told(subject, platform)).drift).toMatchObject({ isEdited: false, comparedWith: 'applied' });
});

test('a zone that was never written, and one that cannot be read, do not hide the others', async () => {
  const platform = await examplePlatform();
  const subject = new ZoneInMemory('route53');
  expect((await told(subject, platform)).lines).toEqual([`route53 zone ${zone}: Tideline never wrote it`]);
  const written = await applied('route53', platform);
  change(
    written,
    ({ name }) => name === `_tideline.${zone}`,
    () => [],
  );
  expect((await told(written, platform)).lines).toEqual([
    expect.stringMatching(/^route53 zone video\.example: not known: _tideline\.video\.example TXT is gone/),
  ]);
});
