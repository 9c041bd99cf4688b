import { describe, expect, it } from 'vitest';
import { createAuthority } from '../../../../test/support/authority.ts';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { createRegistry } from '../../../runtime/metrics.ts';
import { endsWithinDays } from '../../../runtime/tls/life.ts';
import { CredentialEnd, lifeOf } from './end.ts';

const day = 86_400_000;

function certificate(days: number): string {
  const subject = { commonName: 'tideline:edge:b1', organisations: ['tideline:edge'], validSeconds: days * 86_400 };
  return createAuthority('cluster').issue(subject).certificate;
}
function token(claims: object): Readonly<Record<string, string>> {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return { authorization: `Bearer ${part({ alg: 'none' })}.${part(claims)}.c2ln` };
}

describe('the life of credentials', () => {
  it('is that of the certificate, of the token, or of what ends first', () => {
    const now = Date.now();
    const claims = {
      sub: 'system:serviceaccount:a:b',
      iat: Math.floor(now / 1000),
      exp: Math.floor(now / 1000) + 3600,
    };
    const cert = certificate(20);
    expect(lifeOf({ tls: { cert }, headers: {} })).toMatchObject({
      kind: 'certificate',
      subject: expect.stringContaining('CN=tideline:edge:b1'),
    });
    expect(lifeOf({ tls: {}, headers: token(claims) })).toMatchObject({ kind: 'token', subject: claims.sub });
    expect(lifeOf({ tls: { cert }, headers: token(claims) })?.kind).toBe('token');
  });

  it('is unknown where nothing says so', () => {
    for (const authorization of ['Bearer opaque', 'Bearer a.b.c', 'Basic dTpw', `Bearer a.${'e30'}.c`])
      expect(lifeOf({ tls: {}, headers: { authorization } })).toBeUndefined();
    expect(lifeOf({ tls: { cert: 'no PEM' }, headers: {} })).toBeUndefined();
  });
});

describe('the days', () => {
  const life = (days: number) => ({ kind: 'certificate' as const, fromMs: 0, untilMs: days * day });

  it.each([
    [
      'a year',
      365,
      [
        [334, undefined],
        [335.5, 30],
        [358, 7],
        [364.5, 1],
        [366, 1],
      ],
    ],
    [
      '30 days, as deploy/kubeconfig makes it',
      30,
      [
        [0, undefined],
        [22, undefined],
        [23, 7],
        [29, 1],
      ],
    ],
    [
      'an hour, renewed by somebody',
      1 / 24,
      [
        [0, undefined],
        [1 / 25, undefined],
      ],
    ],
  ] as const)('of a credential of %s', (_, days, expected) => {
    for (const [atDay, within] of expected)
      expect([atDay, endsWithinDays(life(days), atDay * day)]).toEqual([atDay, within]);
  });
});

it('announces the end once for each number of days in the log, always in the status and as a metric', async () => {
  const lines: string[] = [];
  const say = (level: string) => (_: object, message: string) => void lines.push(`${level}: ${message}`);
  const log = { info: say('info'), warn: say('warn'), error: say('error') } as unknown as Log;
  const registry = createRegistry('test');
  const began = Date.now();
  const clock = new FakeClock(began);
  const end = new CredentialEnd({ clock, log, registry });
  const access = (cert: string) => ({ server: 'https://here', tls: { cert }, headers: {} });
  expect(end.view()).toBeUndefined();
  const first = access(certificate(60));
  const pass = async (days: number): Promise<void> => {
    await clock.advance(days * day);
    for (let request = 0; request < 3; request += 1) end.note(first);
  };
  await pass(1);
  expect([lines, end.view()?.endsWithinDays]).toEqual([[], undefined]);
  for (const days of [30, 23, 5.5]) await pass(days);
  expect(lines).toEqual([
    'info: our certificate ends within 30 days',
    'warn: our certificate ends within 7 days',
    'error: our certificate ends within 1 days',
  ]);
  expect(end.view()).toMatchObject({ kind: 'certificate', endsWithinDays: 1, reason: 'CredentialEndsSoon' });
  expect(await registry.metrics()).toContain('tideline_kube_credential_end_timestamp_seconds');
  end.note(access(certificate(365)));
  expect(end.view()?.endsWithinDays).toBeUndefined();
});
