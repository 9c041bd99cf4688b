import { describe, expect, it, test } from 'vitest';
import type { AddressFacts, CertificateFacts, Target, TlsFacts } from '../target.ts';
import { judgeCertificate } from './certificate.ts';
import { judgeConnection } from './connection.ts';
import { type IdentityAnswer, judgeCredentials } from './credentials.ts';

const day = 86_400_000;
const nowMs = Date.UTC(2026, 10, 22, 12);
const target: Target = {
  file: '/etc/tideline/kube config',
  context: 'paris',
  cluster: 'paris',
  user: 'ops',
  server: 'https://api.paris.example:6443',
  host: 'api.paris.example',
  port: 6443,
  insecure: false,
};

const certificate = (daysLeft: number, days = 365): CertificateFacts => ({
  subject: 'CN=kube-apiserver',
  issuer: 'CN=kubernetes',
  fromMs: nowMs + (daysLeft - days) * day,
  untilMs: nowMs + daysLeft * day,
});

describe('resolver and TCP', () => {
  const dead = (tcp: string): AddressFacts => ({ address: '10.1.0.5', tcp });

  test.each([
    ['ECONNREFUSED', 'ConnectionRefused'],
    ['timeout', 'ConnectionTimedOut'],
    ['ETIMEDOUT', 'ConnectionTimedOut'],
    ['EHOSTUNREACH', 'Unroutable'],
    ['ENETUNREACH', 'Unroutable'],
    ['EACCES', 'ConnectionFailed'],
  ])('%s is %s', (tcp, reason) => {
    expect(judgeConnection(target, { addresses: [dead(tcp)] })[1]).toMatchObject({ state: 'failed', reason });
  });

  it('names a host without an address', () => {
    expect(judgeConnection(target, { nameError: 'ENOTFOUND', addresses: [] })).toMatchObject([
      { state: 'failed', reason: 'NameNotResolved', found: 'api.paris.example does not resolve (ENOTFOUND)' },
    ]);
  });

  it('warns of dead addresses while another lives', () => {
    const alive = { address: '10.1.0.6', tcp: 'ok' };
    expect(judgeConnection(target, { addresses: [dead('ECONNREFUSED'), alive] })[1]).toMatchObject({
      state: 'warning',
      reason: 'AddressesPartlyDead',
      found: '10.1.0.5 (ECONNREFUSED) of 2 do not answer',
    });
  });
});

describe('the certificate of the server', () => {
  const judge = (tls: Partial<TlsFacts>, changed: Partial<Target> = {}) => {
    const facts = { verdict: 'ok', chain: [certificate(300)], names: ['kubernetes', '10.1.0.5'], ...tls };
    return judgeCertificate(
      { ...target, ...changed },
      { addresses: [{ address: 'x', tcp: 'ok', tls: facts }] },
      nowMs,
    )[0];
  };

  test.each([
    ['ok', 'ok', undefined],
    ['CERT_NOT_YET_VALID', 'failed', 'ServerCertificateNotYetValid'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'failed', 'ServerNameMismatch'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'failed', 'AuthorityUnknown'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'failed', 'AuthorityUnknown'],
    ['CERT_SIGNATURE_FAILURE', 'failed', 'AuthorityUnknown'],
  ])('%s is %s', (verdict, state, reason) => {
    const finding = judge({ verdict });
    expect([finding?.state, finding?.reason]).toEqual([state, reason]);
  });

  it('says when it expired', () => {
    expect(judge({ verdict: 'CERT_HAS_EXPIRED', chain: [certificate(-2)] })).toMatchObject({
      reason: 'ServerCertificateExpired',
      found: 'the certificate of CN=kube-apiserver expired 2026-11-20 12:00 UTC, now is 2026-11-22 12:00 UTC',
    });
  });

  it('tells what does not speak TLS from a handshake that breaks', () => {
    expect(judge({ verdict: 'ERR_SSL_WRONG_VERSION_NUMBER', chain: [] })?.reason).toBe('NotTls');
    expect(judge({ verdict: 'timeout', chain: [] })?.reason).toBe('TlsFailed');
  });

  it('offers a name that the certificate has, in words a shell takes', () => {
    expect(judge({ verdict: 'ERR_TLS_CERT_ALTNAME_INVALID' })?.fix).toBe(
      "kubectl config set-cluster paris --kubeconfig='/etc/tideline/kube config' --tls-server-name=kubernetes",
    );
  });

  it('warns when nothing is verified, and when the end is near', () => {
    expect(judge({ verdict: 'SELF_SIGNED_CERT_IN_CHAIN' }, { insecure: true })?.reason).toBe('CertificateNotVerified');
    expect(judge({ chain: [certificate(10)] })?.reason).toBe('CertificateEndsSoon');
    expect(judge({ chain: [certificate(1, 2)] })?.state, 'short-lived ones rotate').toBe('ok');
  });
});

describe('credentials', () => {
  const known: IdentityAnswer = { got: { username: 'ops', groups: ['system:authenticated', 'tideline:check'] } };

  test.each([
    [known, 'ok', undefined],
    [{ got: { username: 'system:anonymous', groups: [] } }, 'failed', 'Anonymous'],
    [{ refused: '401' }, 'failed', 'CredentialsRefused'],
    [{ forbidden: 'create selfsubjectreviews' }, 'failed', 'AccessForbidden'],
    [{ unusable: 'exec plugin aws failed' }, 'failed', 'CredentialsUnusable'],
    [{ failed: 'no answer' }, 'unknown', 'AnswerFailed'],
    [{ missing: true }, 'unknown', 'AnswerFailed'],
  ] as const)('%j is %s', (answer, state, reason) => {
    const finding = judgeCredentials(target, answer, nowMs);
    expect([finding.state, finding.reason]).toEqual([state, reason]);
  });

  it('names the date of a client certificate before the refusal that follows from it', () => {
    const of = (daysLeft: number) =>
      judgeCredentials({ ...target, clientCertificate: certificate(daysLeft) }, { refused: '401' }, nowMs).reason;
    expect([of(-1), of(400), of(100)]).toEqual([
      'ClientCertificateExpired',
      'ClientCertificateNotYetValid',
      'CredentialsRefused',
    ]);
    expect(judgeCredentials({ ...target, clientCertificate: certificate(5) }, known, nowMs).reason).toBe(
      'CertificateEndsSoon',
    );
  });

  it('says who we are', () => {
    expect(judgeCredentials(target, known, nowMs).found).toBe('ops (tideline:check)');
  });
});
