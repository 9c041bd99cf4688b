import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { silentLog } from '../../../runtime/log.ts';
import { createCertificateReader } from './certificate.ts';
import { decideVip } from './decide.ts';
import { Fitness } from './fitness.ts';
import { HttpPeers } from './peers.ts';
import { bladePlatform } from './platform.ts';
import { getJson } from './probe.ts';
import { Push } from './push.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

describe('Fitness', () => {
  test('changes its verdict at the second result in a row, both ways', () => {
    const fitness = new Fitness();
    expect(fitness.fit).toBe(false);
    fitness.take(['NotSynced']);
    fitness.take([]);
    expect(fitness.fit).toBe(false);
    fitness.take([]);
    expect(fitness.fit).toBe(true);
    fitness.take(['ProbeFailed']);
    fitness.take([]);
    fitness.take(['ProbeFailed']);
    expect([fitness.fit, fitness.reasons]).toEqual([true, []]);
    fitness.take(['NginxUnreachable']);
    expect([fitness.fit, fitness.reasons]).toEqual([false, ['NginxUnreachable']]);
  });
});

describe('decideVip', () => {
  test('in any order of failures, with any number of blades, a VIP never loses its last announcer', () => {
    // Every blade raises its flag (unfit) before it asks; asking and withdrawing of different blades interleave freely.
    const step = fc.record({
      blade: fc.nat(3),
      action: fc.constantFrom('fail' as const, 'ask' as const, 'decide' as const, 'recover' as const),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 }), fc.array(step, { maxLength: 80 }), (minAnnouncers, steps) => {
        const blades = Array.from({ length: 4 }, () => ({
          fit: true,
          announced: true,
          fitPeers: undefined as number | undefined,
        }));
        for (const { blade: index, action } of steps) {
          const blade = blades[index]!;
          if (action === 'fail') Object.assign(blade, { fit: false, fitPeers: blade.fit ? undefined : blade.fitPeers });
          if (action === 'recover') Object.assign(blade, { fit: true, announced: true, fitPeers: undefined });
          if (action === 'ask' && !blade.fit)
            blade.fitPeers = blades.filter((peer) => peer !== blade && peer.fit && peer.announced).length;
          if (action === 'decide' && blade.fitPeers !== undefined) {
            const view = {
              fit: blade.fit,
              capable: false,
              held: blade.announced,
              fitPeers: blade.fitPeers,
              aloneMs: 0,
            };
            blade.announced = decideVip(view, minAnnouncers, 5000).announce;
          }
          expect(blades.filter(({ announced }) => announced).length).toBeGreaterThanOrEqual(minAnnouncers);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('who let go takes back only what it can serve, well before the lease of the others ends', () => {
    const view = { fit: false, held: false, fitPeers: 0 };
    expect(decideVip({ ...view, capable: true, aloneMs: 2000 }, 1, 5000).announce).toBe(false);
    expect(decideVip({ ...view, capable: true, aloneMs: 2500 }, 1, 5000)).toEqual({
      announce: true,
      reason: 'LastAnnouncer',
    });
    expect(decideVip({ ...view, capable: false, aloneMs: 60_000 }, 1, 5000).announce).toBe(false);
  });
});

async function serve(
  answer: (path: string) => { readonly code?: number; readonly body: string } | undefined,
): Promise<number> {
  const server = createServer((request, response) => {
    const reply = answer(request.url ?? '');
    if (reply !== undefined) response.writeHead(reply.code ?? 200).end(reply.body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('HttpPeers', () => {
  const vips = [{ address: '192.0.2.10', fit: true, announced: true }, { address: 7 }, null];
  test.each([
    ['a good answer', { body: JSON.stringify({ blade: 'b', vips }) }, [['192.0.2.10', { fit: true, announced: true }]]],
    ['another blade at that address', { body: JSON.stringify({ blade: 'c', vips }) }, undefined],
    ['garbage', { body: '[]' }, undefined],
    ['no VIPs', { body: '{"blade":"b"}' }, undefined],
    ['an error', { code: 500, body: '{}' }, undefined],
    ['silence', undefined, undefined],
  ])('%s', async (_, reply, expected) => {
    const port = await serve(() => reply);
    const peers = new HttpPeers({
      clock: systemClock,
      port,
      peers: () => [{ name: 'b', address: '127.0.0.1' }],
      intervalMs: 1000,
      timeoutMs: 200,
    });
    await peers.ask();
    const [answer] = peers.answers();
    expect(answer === undefined ? undefined : [...answer.vips]).toEqual(expected);
  });

  test('an answer is forgotten when the blade stops to answer', async () => {
    let up = true;
    const port = await serve(() => (up ? { body: JSON.stringify({ blade: 'b', vips }) } : { code: 503, body: '' }));
    const options = {
      clock: systemClock,
      port,
      peers: () => [{ name: 'b', address: '127.0.0.1' }],
      intervalMs: 1000,
      timeoutMs: 200,
    };
    const peers = new HttpPeers(options);
    await peers.ask();
    expect(peers.answers()).toHaveLength(1);
    up = false;
    await peers.ask();
    expect(peers.answers()).toEqual([]);
  });

  test('nobody there', async () => {
    expect(await getJson({ address: '127.0.0.1', port: 1, path: '/', timeoutMs: 200 })).toBeUndefined();
  });
});

describe('Push', () => {
  test('sends a value once, again to a new receiver, again after a failure, and nothing while there is none', async () => {
    const sent: number[] = [];
    let receiver: string | undefined;
    let failing = false;
    const push = new Push<number>({
      what: 'test',
      log: silentLog,
      instance: () => receiver,
      send: async (value) => {
        if (failing) throw new Error('no');
        sent.push(value);
      },
    });
    const set = async (value: number): Promise<void> => {
      push.set(value);
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    };
    await set(1);
    receiver = 'first';
    await set(1);
    await set(1);
    await set(2);
    receiver = 'second';
    failing = true;
    await set(2);
    failing = false;
    await set(2);
    await set(2);
    expect(sent).toEqual([1, 2, 2]);
    expect(push.value).toBe(2);
  });
});

describe('bladePlatform', () => {
  test.each([
    ['nobody', 'paris-blade-1', /no EdgePool nobody .*UnknownName/],
    ['paris-edge', 'paris-blade-9', /expected: one of paris-blade-1, paris-blade-2/],
  ])('refuses pool %s with blade %s', (pool, blade, says) => {
    expect(() => bladePlatform(platformForTests(), pool, blade)).toThrow(says);
  });
});

describe('the certificate reader', () => {
  const secret = (data: Readonly<Record<string, string>>) => ({
    kind: 'Secret' as const,
    type: 'kubernetes.io/tls',
    metadata: { name: 's', namespace: 'n' },
    data,
  });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })).toString('base64');

  test.each([
    ['nothing', {}, 'CertificateUnreadable'],
    ['not base64', { 'tls.crt': '%%%', 'tls.key': key }, 'CertificateUnreadable'],
    ['a key where the certificate should be', { 'tls.crt': key, 'tls.key': key }, 'CertificateUnreadable'],
    ['a number', { 'tls.crt': 123, 'tls.key': key } as never, 'CertificateUnreadable'],
    ['a list', { 'tls.crt': [key], 'tls.key': [key] } as never, 'CertificateUnreadable'],
    ['a huge one', { 'tls.crt': 'A'.repeat(600_000), 'tls.key': key }, 'CertificateUnreadable'],
  ])('refuses %s', (_, data, reason) => {
    const reading = createCertificateReader()(secret(data));
    expect(reading).toMatchObject({ ok: false, fault: { reason } });
  });
});
