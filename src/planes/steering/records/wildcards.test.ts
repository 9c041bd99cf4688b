import { describe, expect, test } from 'vitest';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { examplePlatform, withHost } from '../../../../test/support/steering/world.ts';
import { foreignRecord, ZoneInMemory } from '../../../../test/support/steering/zones.ts';
import { applyZone } from '../plan/apply.ts';
import { dependentsOf } from './neighbours.ts';
import { hiding, isCovered } from './wildcards.ts';

const zone = 'video.example';
const wildcard = '*.tv.video.example';
const at = (...names: readonly string[]) => names.map((name) => foreignRecord(name, 'A', '192.0.2.9'));
const hidden = (...names: readonly string[]) =>
  hiding({ zone, hosts: [wildcard, 'own.tv.video.example'] }, wildcard, at(...names)).map(({ message }) => message);

test('names of others below a wildcard hide it, also when they exist only by a name below them', () => {
  expect(hidden('a.tv.video.example', '_acme-challenge.b.tv.video.example')).toEqual([
    `${wildcard}: a.tv.video.example, b.tv.video.example exist in the zone by records of others, so they and the names below them do not get its answer`,
  ]);
  expect(hidden(...'abcdefg'.split('').map((label) => `${label}.tv.video.example`))[0]).toContain(
    'e.tv.video.example and 2 more exist',
  );
});

test.each([
  ['a name elsewhere', 'tv.video.example'],
  ['the wildcard itself', wildcard],
  ['a host of ours', 'own.tv.video.example'],
  ['a name of a service', '_dmarc.tv.video.example'],
])('%s hides nothing', (_what, name) => {
  expect(hidden(name)).toEqual([]);
});

test('a wildcard covers what does not exist below it', () => {
  const records = at('a.tv.video.example', 'x.b.tv.video.example');
  const covered = (name: string) => isCovered(wildcard, name, records);
  expect(['c.tv.video.example', 'd.c.tv.video.example'].map(covered)).toEqual([true, true]);
  expect(['a.tv.video.example', 'y.a.tv.video.example', 'b.tv.video.example'].map(covered)).toEqual([
    false,
    false,
    false,
  ]);
  expect(['tv.video.example', 'c.video.example'].map(covered)).toEqual([false, false]);
});

test('a record that leads to a name that only the wildcard answers for needs the wildcard', () => {
  const records = [
    ...at('a.tv.video.example'),
    foreignRecord('shop.video.example', 'CNAME', 'c.tv.video.example.'),
    foreignRecord('old.video.example', 'CNAME', 'a.tv.video.example.'),
  ];
  expect(dependentsOf(wildcard, records)).toEqual(['shop.video.example']);
});

describe.each(['route53', 'powerdns'] as const)('%s', (provider) => {
  test('a wildcard is planned, written and removed like any host; what is asked for its health is a name', async () => {
    const subject = new ZoneInMemory(provider, at('old.tv.video.example'));
    const platform = await examplePlatform();
    const policies = new Map(platform.policies);
    const video = policies.get('video');
    if (video === undefined) throw new Error('no policy');
    policies.set('video', { ...video, spec: { ...video.spec, hosts: [wildcard] } });
    const plan = await planZone({ ...platform, policies }, subject.provider, zone, 0);
    expect(plan.notices.map(({ reason }) => reason)).toContain('WildcardHidden');
    await applyZone(plan, subject.provider);
    const texts = subject.texts(({ name }) => name === wildcard).join('\n');
    if (provider === 'powerdns') expect(texts).toContain('http://tideline-health.tv.video.example:80/');
    else expect(plan.checks.create.map(({ hosts }) => hosts[0])).toContain('tideline-health.tv.video.example');
    const both = withHost({ ...platform, policies }, 'www.video.example');
    const more = await planZone(both, subject.provider, zone, 0);
    expect(more.intent.policies[0]?.entries[0]?.checks[0]?.hosts[0]).toBe('www.video.example');
    await applyZone(await planZone(platform, subject.provider, zone, 0), subject.provider);
    expect(subject.texts(({ name }) => name === wildcard)).toEqual([]);
  });
});
