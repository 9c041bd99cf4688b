import { expect, it } from 'vitest';
import { blade, takenAtMs } from '../../test/support/snapshot.ts';
import { findingsOf } from './findings.ts';

it('says what is wrong with the certificates of agents, and whom others will not believe', () => {
  const agents = [
    blade('b1', {
      endpoint: { certificates: 'required', problem: { reason: 'TlsFilesUnusable', message: 'ca.crt holds none' } },
      peersNotBelieved: [{ blade: 'b2', reason: 'PeerNotBelieved', message: 'it is b9 (ServerNotBelieved)' }],
    }),
    blade('b2', {
      endpoint: { certificates: 'grace', certificate: { endsWithinDays: 1 } },
      peersNotBelieved: [{ blade: 'b1', reason: 'PeerNotBelieved', message: 'it does not speak TLS (TlsNotServed)' }],
    }),
  ];
  const found = findingsOf({ takenAtMs, clusters: [{ name: 'paris' }], pools: [], agents, drains: [] });
  expect(found.map(({ severity, subject, what }) => `${severity} ${subject} ${what}`)).toEqual([
    'fault b1 does not believe b2: it is b9 (ServerNotBelieved) (PeerNotBelieved)',
    'fault b1 cannot use its certificate files: ca.crt holds none (TlsFilesUnusable)',
    'warning b2 would not believe b1 without the grace: it does not speak TLS (TlsNotServed) (PeerNotBelieved)',
    'warning b2 has a certificate for other agents that ends within 1 days',
    'warning b2 answers also who has no certificate (--tls-mode grace)',
  ]);
});
