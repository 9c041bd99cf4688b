import { describe, expect, test } from 'vitest';
import { compileInputOf, policyOf } from '../../../../test/support/steering/policies.ts';
import { formatRecord, type RecordSet } from '../../../answers/record.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { powerDnsDialect } from '../dialects/powerdns/dialect.ts';
import { route53Dialect } from '../dialects/route53/dialect.ts';
import { batchesOf } from './batches.ts';
import { changesOf, type WantedZone } from './changes.ts';
import { scopeOf } from './scope.ts';

const zone = 'example.net';
const [www, api] = ['www.example.net', 'api.example.net'] as const;
const paris = 'default: { clusters: [{ name: paris }], failover: [cloud] }';
const cloud = 'default: { clusters: [{ name: cloud }], failover: [paris] }';

describe.each([route53Dialect, powerDnsDialect])('in $title', (dialect) => {
  test.each(['A', 'AAAA', 'CNAME', 'ALIAS'])(
    'a host with a foreign %s is held back by name, the other is written',
    (type) => {
      const foreign = recordOf(www, type, '192.0.2.9');
      const { heldBack, zone: after } = planned(dialect, wantedOf(dialect, paris, [www, api]), [foreign]);
      expect(heldBack).toEqual([
        {
          host: www,
          reason: 'UnownedRecord',
          message: expect.stringMatching(`^${type} of it exists and was not written`),
        },
      ]);
      expect(texts(after)).toEqual(texts([...planned(dialect, wantedOf(dialect, paris, [api]), []).zone, foreign]));
    },
  );

  test('a zone of which every host is held back is not written at all', () => {
    const foreign = recordOf(www, 'A', '192.0.2.9');
    const { zone: after } = planned(dialect, wantedOf(dialect, paris, [www]), [foreign]);
    expect(after).toEqual([foreign]);
  });

  test('a host of ours keeps its answer and every record below it while it is held back', () => {
    const first = planned(dialect, wantedOf(dialect, paris, [www, api]), []).zone;
    const foreign = recordOf(www, 'ALIAS', 'elsewhere.example');
    const { heldBack, zone: after } = planned(dialect, wantedOf(dialect, cloud, [www, api]), [...first, foreign]);
    expect(heldBack.map(({ host }) => host)).toEqual([www]);
    const answer = (records: readonly RecordSet[], host: string) =>
      [...dialect.interpret(records).view(host, 'A', []).answer('FR').keys()].join();
    expect(answer(after, www)).toBe(answer(first, www));
    expect(answer(after, api)).not.toBe(answer(first, api));
    const again = planned(dialect, wantedOf(dialect, cloud, [www, api]), after);
    expect(again.zone).toEqual(after);
  });
});

test('when the generation record is lost, no target that a host of the zone still leads to is deleted', () => {
  const first = planned(route53Dialect, wantedOf(route53Dialect, paris, [www]), []).zone;
  const lost = first.filter(({ type }) => type !== 'TXT');
  const { heldBack, zone: after } = planned(route53Dialect, wantedOf(route53Dialect, cloud, [www, api]), lost);
  expect(heldBack.map(({ host }) => host)).toEqual([www]);
  expect(texts(after)).toEqual(expect.arrayContaining(texts(lost)));
});

function wantedOf(dialect: Dialect, yaml: string, hosts: readonly string[]): WantedZone {
  const { records } = dialect.compile({ ...compileInputOf(policyOf(yaml)), hosts });
  return { zone, records, hosts };
}

function recordOf(name: string, type: string, value: string): RecordSet {
  return { name, type, target: { kind: 'values', ttlSeconds: 60, values: [value] } };
}

/** What is held back, and the zone after the batches of the plan. */
function planned(dialect: Dialect, wanted: WantedZone, current: readonly RecordSet[]) {
  const { wanted: scoped, heldBack } = scopeOf(wanted, current, dialect);
  const batches = batchesOf(scoped, changesOf(scoped, current, dialect), dialect.limits);
  const now = new Map(current.map((record) => [formatRecord(record), record]));
  for (const { action, record } of batches.flatMap(({ changes }) => changes)) {
    if (action === 'CREATE') now.set(formatRecord(record), record);
    else if (!now.delete(formatRecord(record))) throw new Error(`no ${formatRecord(record)}`);
  }
  return { heldBack, zone: [...now.values()] };
}

const texts = (records: readonly RecordSet[]): string[] => records.map(formatRecord).sort();
