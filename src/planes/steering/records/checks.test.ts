import { expect, test } from 'vitest';
import { checkType, type HealthCheck, healthCheckKey } from '../compile/entries.ts';
import { type CheckScope, type CurrentChecks, changesText, checkChangesOf, type HeldCheck } from './checks.ts';
import { retiredName } from './retired.ts';

const settings = {
  address: '192.0.2.10',
  port: 80,
  protocol: 'HTTP' as const,
  path: '/.well-known/tideline/health/video',
  hosts: ['www.video.example', 'm.video.example'],
  intervalSeconds: 10 as const,
  failureThreshold: 3,
};
const check = (change: Partial<HealthCheck> = {}): HealthCheck => {
  const all = { ...settings, ...change };
  return { ...all, key: healthCheckKey({ ...all, type: checkType(all) }) };
};
const held = (change: Partial<HeldCheck['settings']> = {}): HeldCheck => ({
  id: 'id-1',
  version: 7,
  settings: { port: 80, host: 'www.video.example', failureThreshold: 3, disabled: false, inverted: false, ...change },
});
const record = (key: string) => ({
  name: 'mix._tideline.video.example',
  type: 'A',
  target: { kind: 'values' as const, ttlSeconds: 60, values: ['192.0.2.10'] },
  healthCheck: key,
});
const scope: CheckScope = { answers: true, kept: new Set(), retired: [], retireRoom: 10, nowMs: 5_000_000 };
/** A zone whose records use a check, which is like this. */
const using = (before: HeldCheck = held()): CurrentChecks => ({
  records: [record(check().key)],
  healthChecks: new Map([[check().key, before]]),
  strayHealthChecks: [],
  retiredHealthChecks: [],
});
/** What changes when a zone whose records use `before` is to use `wanted`. */
const changes = (wanted: HealthCheck, before?: HeldCheck) => checkChangesOf([wanted], using(before), scope);

test.each([
  ['nothing', check(), ''],
  ['a host in front', check({ hosts: ['new.video.example', ...settings.hosts] }), ''],
  ['the host of the check is gone', check({ hosts: ['m.video.example'] }), 'host www.video.example -> m.video.example'],
  ['the threshold', check({ failureThreshold: 4 }), 'failureThreshold 3 -> 4'],
  ['the port', check({ port: 8080 }), 'port 80 -> 8080'],
  ['what is searched for', check({ searchString: 'is up' }), 'searchString up -> "is up"'],
])('in place: %s', (_what, wanted, text) => {
  const { searchString } = wanted;
  const current = {
    records: [record(wanted.key)],
    healthChecks: new Map([[wanted.key, held(searchString === undefined ? {} : { searchString: 'up' })]]),
  };
  const { create, update, observe, retire } = checkChangesOf([wanted], { ...using(), ...current }, scope);
  expect([create, observe, retire]).toEqual([[], [], []]);
  expect(update.map(({ held: before, after }) => changesText(before.settings, after)).join()).toBe(text);
});

test('a check that somebody disabled, inverted or pointed to another host is put back in place', () => {
  const { update } = changes(check(), held({ disabled: true, inverted: true, host: 'other.example' }));
  expect(update.map(({ after }) => after)).toEqual([held().settings]);
});

test.each([
  ['the address', check({ address: '192.0.2.11' }), []],
  ['the protocol', check({ protocol: 'HTTPS' }), ['id-1']],
  ['the interval', check({ intervalSeconds: 30 }), ['id-1']],
  ['that it searches the answer', check({ searchString: 'up' }), ['id-1']],
  ['the policy', check({ path: '/.well-known/tideline/health/other' }), ['id-1']],
])('another check, which is observed before it takes over: %s', (_what, wanted, replaces) => {
  const { create, update, observe, retire } = changes(wanted);
  expect(create).toEqual([wanted]);
  expect(update).toEqual([]);
  expect(observe).toEqual([{ check: wanted, replaces }]);
  expect(retire).toEqual(['id-1']);
});

test('a check of an apply that was interrupted is observed too; in a zone without answers none is', () => {
  const current = { ...using(), records: [] };
  expect(checkChangesOf([check()], current, scope).observe).toEqual([{ check: check(), replaces: [] }]);
  expect(checkChangesOf([check()], current, { ...scope, answers: false }).observe).toEqual([]);
});

test('a check that nothing uses is retired with the time, and the generation record is swapped for it', () => {
  const { retire, retired, isFenced } = checkChangesOf([], { ...using(), strayHealthChecks: ['id-2'] }, scope);
  expect(retire).toEqual(['id-1', 'id-2']);
  expect(retired).toEqual(retire.map((id) => ({ name: retiredName(id), atSeconds: 5000 })));
  expect(isFenced).toBe(true);
});

test('a check stays while records name it or its cluster is in a policy, and as long as the record has no room for it', () => {
  const none = { retire: [], retired: [], isFenced: false };
  const current = { ...using(), strayHealthChecks: ['id-2'] };
  expect(checkChangesOf([], current, { ...scope, kept: new Set([check().key, 'id:id-2']) })).toMatchObject(none);
  expect(checkChangesOf([], current, { ...scope, retireRoom: 0 })).toMatchObject(none);
});

test('a retired check is deleted after an hour and not while a record uses it; the record then forgets it', () => {
  const retired = [{ name: retiredName('id-9'), atSeconds: 100 }];
  const current = { ...using(), retiredHealthChecks: ['id-9'] };
  const at = (nowMs: number, records = current.records) => {
    const made = checkChangesOf([check()], { ...current, records }, { ...scope, retired, nowMs });
    return [made.delete, made.retired, made.isFenced];
  };
  expect(at(3_699_999)).toEqual([[], retired, false]);
  expect(at(3_700_000)).toEqual([['id-9'], [], false]);
  expect(at(3_700_000, [...current.records, record('id:id-9')])).toEqual([[], retired, false]);
});
