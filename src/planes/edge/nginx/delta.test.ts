import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RouteSettings, RoutingTable } from '../table.ts';
import { applyDelta, deltaSize, diffBackends, diffTables, emptyTable, encodeDelta, indexTable } from './delta.ts';

const name = fc.constantFrom('a.example', 'b.example', '*.example', '');
const key = fc.constantFrom('n/a/80', 'n/b/80', 'n/c/80');
const settings: fc.Arbitrary<RouteSettings> = fc.record(
  {
    refused: fc.constant('AccessAnnotationUnsupported'),
    allow: fc.array(fc.constantFrom('10.0.0.0/8', '::/0'), { maxLength: 2 }),
    redirect: fc.record({
      code: fc.constantFrom(301, 302),
      to: fc.constantFrom('https://a.example', 'http://b.example'),
    }),
    https: fc.record({ code: fc.constantFrom(301, 308), port: fc.constantFrom(8443) }, { requiredKeys: ['code'] }),
    maxBodyBytes: fc.nat({ max: 2 }),
  },
  { requiredKeys: [] },
);
const host = fc.record(
  {
    name,
    paths: fc.array(
      fc.record(
        {
          match: fc.constantFrom('exact' as const, 'prefix' as const),
          path: fc.string(),
          backend: key,
          settings: fc.nat({ max: 1 }),
        },
        { requiredKeys: ['match', 'path', 'backend'] },
      ),
      { maxLength: 3 },
    ),
    defaultBackend: key,
    certificate: fc.constantFrom('c1', 'c2'),
    // A list that is empty is left out by whoever makes tables, and counts as none.
    settings: fc.array(settings, { minLength: 1, maxLength: 2 }),
    defaultSettings: fc.nat({ max: 1 }),
  },
  { requiredKeys: ['name', 'paths'] },
);
const endpoint = fc.record({ address: fc.constantFrom('10.0.0.1', '10.0.0.2'), port: fc.constantFrom(80, 81) });
const table: fc.Arbitrary<RoutingTable> = fc.record({
  hosts: fc.uniqueArray(host, { selector: (entry) => entry.name }),
  backends: fc.uniqueArray(fc.record({ key, endpoints: fc.array(endpoint, { maxLength: 3 }) }), {
    selector: (entry) => entry.key,
  }),
  certificates: fc.uniqueArray(fc.record({ id: fc.constantFrom('c1', 'c2'), chain: fc.string(), key: fc.string() }), {
    selector: (entry) => entry.id,
  }),
});

describe('delta', () => {
  it('turns A into B, and is empty between equals', () => {
    fc.assert(
      fc.property(table, table, (a, b) => {
        const [from, to] = [indexTable(a), indexTable(b)];
        applyDelta(from, diffTables(from, to));
        expect(from).toEqual(to);
        expect(deltaSize(diffTables(from, indexTable(structuredClone(b))))).toBe(0);
      }),
    );
  });

  it('of some backends is the delta of the table when nothing else changed', () => {
    fc.assert(
      fc.property(table, table, (a, b) => {
        const keys = a.backends
          .map((backend) => backend.key)
          .filter((k) => b.backends.some((other) => other.key === k));
        const changed = b.backends.filter((backend) => keys.includes(backend.key));
        const from = indexTable(a);
        const to = indexTable({ ...a, backends: [...a.backends.filter((x) => !keys.includes(x.key)), ...changed] });
        const sorted = (delta: ReturnType<typeof diffTables>) =>
          delta.backends.upsert.toSorted((x, y) => x.key.localeCompare(y.key));
        expect(sorted(diffBackends(from, to, keys))).toEqual(sorted(diffTables(from, to)));
      }),
    );
  });

  it('is the same whether it is encoded in one part or in many', () => {
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 300 }), (t, maxLength) => {
        const delta = diffTables(emptyTable(), indexTable(t));
        const rebuilt = emptyTable();
        for (const part of encodeDelta(delta, maxLength)) {
          const parsed = JSON.parse(`{${part}}`);
          const none = { upsert: [], delete: [] };
          applyDelta(rebuilt, {
            hosts: { ...none, ...parsed.hosts },
            backends: { ...none, ...parsed.backends },
            certificates: { ...none, ...parsed.certificates },
          });
        }
        expect(rebuilt).toEqual(indexTable(t));
      }),
    );
  });

  it('never has half a surrogate pair', () => {
    const hosts = [{ name: 'a', paths: [{ match: 'exact' as const, path: '/\ud800', backend: 'n/s/1' }] }];
    const [part] = encodeDelta(diffTables(emptyTable(), indexTable({ hosts, backends: [], certificates: [] })), 1000);
    expect(part).toContain('/\ufffd');
  });
});
