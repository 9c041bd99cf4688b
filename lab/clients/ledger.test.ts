import { expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import type { Outcome } from './protocol.ts';

const outcome = (startedAtMs: number, more: Partial<Outcome> = {}): Outcome => ({
  country: 'FR',
  resolver: 'route53',
  protocol: 'http',
  startedAtMs,
  tookMs: 5,
  retried: false,
  pod: 'web-1',
  node: 'paris-worker-1',
  cluster: 'paris',
  ...more,
});

it('accounts for requests by when they were started', () => {
  const ledger = new Ledger();
  for (const at of [999, 1000, 1500, 1999, 2000]) ledger.record(outcome(at));
  expect(ledger.window(1000, 2000)).toMatchObject({ requests: 3, failed: 0, recoveredAfterMs: 0 });
  expect(ledger.window(2001).requests).toBe(0);
  expect(ledger.totals).toEqual({ requests: 5, failed: 0, retried: 0 });
});

it('counts recovery to the end of the last failed request', () => {
  const ledger = new Ledger();
  ledger.record(outcome(1100, { failure: 'ECONNREFUSED', tookMs: 1 }));
  ledger.record(outcome(1200, { failure: 'Timeout', tookMs: 2000, address: '192.0.2.10' }));
  ledger.record(outcome(3300));
  const account = ledger.window(1000);
  expect(account).toMatchObject({ requests: 3, failed: 2, recoveredAfterMs: 2200 });
  expect(account.failures[1]).toEqual({ country: 'FR', atMs: 3200, reason: 'Timeout', address: '192.0.2.10' });
});

it('tells countries, name servers, clusters and cloud regions apart', () => {
  const ledger = new Ledger();
  const cloud = { cluster: 'cloud', node: 'cloud-asia', pod: 'web-2' };
  ledger.record(outcome(1, { tookMs: 10 }));
  ledger.record(outcome(2, { ...cloud, resolver: 'powerdns', tookMs: 30, retried: true }));
  ledger.record(outcome(3, { ...cloud, country: 'AU' }));
  const { countries, retried } = ledger.window(0);
  expect(retried).toBe(1);
  expect([...countries.keys()]).toEqual(['AU', 'FR']);
  expect(countries.get('FR')).toMatchObject({
    clusters: new Map([
      ['cloud/cloud-asia', 1],
      ['paris', 1],
    ]),
    byResolver: { route53: new Map([['paris', 1]]), powerdns: new Map([['cloud/cloud-asia', 1]]) },
    medianMs: 30,
  });
});

it('says which clients are not served', () => {
  const ledger = new Ledger();
  ledger.record(outcome(1, { failure: 'DnsTimeout' }));
  ledger.record(outcome(1, { resolver: 'powerdns' }));
  expect([ledger.servedClients(), ledger.unserved()]).toEqual([1, ['FR by route53: DnsTimeout']]);
  ledger.record(outcome(2));
  expect([ledger.servedClients(), ledger.unserved()]).toEqual([2, []]);
});
