import { describe, expect, test } from 'vitest';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { examplePlatform, withHost } from '../../../../test/support/steering/world.ts';
import { foreignRecord, ZoneInMemory } from '../../../../test/support/steering/zones.ts';
import type { RecordSet } from '../../../answers/record.ts';
import { applyPlans, applyZone } from '../plan/apply.ts';
import { checksumOf, isEmpty } from '../plan/plan.ts';

const zone = 'video.example';
const www = `www.${zone}`;
const deep = `a.eu.${zone}`;

describe.each(['route53', 'powerdns'] as const)('%s', (name) => {
  test.each([
    ['a delegation above it', foreignRecord(`eu.${zone}`, 'NS', 'ns1.other.example.'), 'BelowDelegation'],
    ['a delegation of its own name', foreignRecord(deep, 'NS', 'ns1.other.example.'), 'BelowDelegation'],
    ['a DNAME above it', foreignRecord(`eu.${zone}`, 'DNAME', 'other.example.'), 'BelowRedirection'],
  ])('a host with %s is held back, and the others are planned', async (_what, record, reason) => {
    const apex = foreignRecord(zone, 'NS', 'ns1.video.example.');
    const subject = new ZoneInMemory(name, [apex, record]);
    const plan = await planZone(withHost(await examplePlatform(), deep), subject.provider, zone, 0);
    expect(plan.heldBack.map((held) => [held.host, held.reason])).toEqual([[deep, reason]]);
    expect(plan.changes.create.some((made) => made.name === www)).toBe(true);
    expect(plan.changes.create.some((made) => made.name === deep)).toBe(false);
  });

  test('a DNAME at the zone holds back every host below it', async () => {
    const subject = new ZoneInMemory(name, [foreignRecord(zone, 'DNAME', 'other.example.')]);
    const plan = await planZone(await examplePlatform(), subject.provider, zone, 0);
    expect([plan.heldBack.map(({ reason }) => reason), isEmpty(plan)]).toEqual([['BelowRedirection'], true]);
  });

  test.each([
    ['0 other.example.', true],
    ['1 other.example. alpn=h2', true],
    ['1 . alpn=h2 ipv4hint=192.0.2.1', true],
    ['1 . alpn=h2,h3', false],
    [`1 ${www}. alpn=h2`, false],
  ])('an HTTPS record %s beside a host is named: %s', async (value, isNamed) => {
    const subject = new ZoneInMemory(name, [foreignRecord(www, 'HTTPS', value)]);
    const plan = await planZone(await examplePlatform(), subject.provider, zone, 0);
    expect(plan.notices.some(({ reason }) => reason === 'LedElsewhere')).toBe(isNamed);
    expect(plan.heldBack).toEqual([]);
  });

  test.each<[string, RecordSet]>([
    ['CNAME', foreignRecord(`shop.${zone}`, 'CNAME', `old.${zone}.`)],
    ['MX', foreignRecord(`shop.${zone}`, 'MX', `10 old.${zone}.`)],
    ['SRV', foreignRecord(`shop.${zone}`, 'SRV', `1 1 443 OLD.${zone}.`)],
    ...(name === 'route53'
      ? ([['alias', foreignRecord(`shop.${zone}`, 'A', '', { target: aliasTo(`old.${zone}`) })]] as const).map(
          ([what, record]): [string, RecordSet] => [what, record],
        )
      : []),
  ])('a removal that a foreign %s needs is refused until a person names that record', async (_what, record) => {
    const subject = new ZoneInMemory(name);
    const platform = await examplePlatform();
    await applyZone(await planZone(withHost(platform, `old.${zone}`), subject.provider, zone, 0), subject.provider);
    subject.records = [...subject.records, record];
    const plan = await planZone(platform, subject.provider, zone, 0);
    expect(plan.overGuard).toContainEqual({ kind: 'broken', host: `old.${zone}`, names: [`shop.${zone}`] });
    const removals = [`old.${zone}`];
    const approval = { checksum: checksumOf([plan]), share: 1, failoverShare: 1, down: [], removals, broken: [] };
    const connect = async () => subject.provider;
    await expect(applyPlans([plan], approval, connect)).rejects.toThrow(
      /shop\.video\.example leads to old\.video\.example.*add --approve-broken shop\.video\.example \(NeedsApproval\)/,
    );
    await applyPlans([plan], { ...approval, broken: [`shop.${zone}`] }, connect);
    expect(subject.records).toContainEqual(record);
    expect(subject.texts(({ name: at }) => at === `old.${zone}`)).toEqual([]);
  });

  test('what leads there by way of another name is named too, also beside a record of the host that has no address', async () => {
    const subject = new ZoneInMemory(name);
    const platform = await examplePlatform();
    await applyZone(await planZone(withHost(platform, `old.${zone}`), subject.provider, zone, 0), subject.provider);
    const others = [
      foreignRecord(`old.${zone}`, 'TXT', '"site-verify=1"'),
      foreignRecord(`shop.${zone}`, 'CNAME', `old.${zone}.`),
      foreignRecord(`blog.${zone}`, 'CNAME', `shop.${zone}.`),
      foreignRecord(`mail.${zone}`, 'MX', `10 blog.${zone}.`),
      foreignRecord(`more.${zone}`, 'CNAME', `mail.${zone}.`),
    ];
    subject.records = [...subject.records, ...others];
    const plan = await planZone(platform, subject.provider, zone, 0);
    const names = ['blog', 'mail', 'shop'].map((label) => `${label}.${zone}`);
    expect(plan.overGuard).toContainEqual({ kind: 'broken', host: `old.${zone}`, names });
  });
});

function aliasTo(name: string): RecordSet['target'] {
  return { kind: 'alias', name, evaluateHealth: false };
}
