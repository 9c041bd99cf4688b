import { type Finding, failed, ok, quote, warning } from '../finding.ts';
import type { CertificateFacts, ProbeFacts, Target, TlsFacts } from '../target.ts';

const day = 86_400_000;

/** Judges the server's certificate, as the handshakes showed it. `nowMs` is the time of our clock. */
export function judgeCertificate(target: Target, probe: ProbeFacts, nowMs: number): readonly Finding[] {
  const handshakes = probe.addresses.flatMap(({ tls }) => (tls === undefined ? [] : [tls]));
  const bad = handshakes.find(({ verdict }) => verdict !== 'ok');
  if (bad !== undefined && (!target.insecure || bad.chain.length === 0)) return [rejectedHandshake(target, bad, nowMs)];
  const leaf = handshakes[0]?.chain[0];
  if (leaf === undefined) return [];
  if (target.insecure) {
    return [
      warning('api-certificate', 'CertificateNotVerified', {
        found: 'the kubeconfig switches verification off (insecure-skip-tls-verify)',
        expected: 'the authority of the cluster in the kubeconfig',
        fix: trustCommand(target),
      }),
    ];
  }
  const ending = handshakes.flatMap(({ chain }) => chain).find((certificate) => endsSoon(certificate, nowMs));
  if (ending !== undefined)
    return [
      warning('api-certificate', 'CertificateEndsSoon', {
        found: `the certificate of ${ending.subject} ends ${dateOf(ending.untilMs)}`,
        fix: renewServer,
      }),
    ];
  return [ok('api-certificate', `${leaf.subject}, valid until ${dateOf(leaf.untilMs)}`)];
}

const renewServer = 'kubeadm certs renew apiserver   # on each control plane node; then restart kube-apiserver';

function rejectedHandshake(target: Target, tls: TlsFacts, nowMs: number): Finding {
  const expired = tls.chain.find(({ untilMs }) => untilMs <= nowMs);
  const [leaf] = tls.chain;
  switch (tls.verdict) {
    case 'CERT_HAS_EXPIRED':
      return failed('api-certificate', 'ServerCertificateExpired', {
        found: `the certificate of ${expired?.subject ?? "the server's authority"} expired ${dateOf(expired?.untilMs)}, now is ${dateOf(nowMs)}`,
        expected: 'certificates that are valid now',
        fix: renewServer,
      });
    case 'CERT_NOT_YET_VALID':
      return failed('api-certificate', 'ServerCertificateNotYetValid', {
        found: `${leaf?.subject ?? 'the server'} is valid from ${dateOf(leaf?.fromMs)}, now is ${dateOf(nowMs)}`,
        expected: 'a clock that is right on this machine',
        fix: 'timedatectl set-ntp true',
      });
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return failed('api-certificate', 'ServerNameMismatch', {
        found: `the certificate is for ${tls.names.join(', ')}, not for ${target.serverName ?? target.host}`,
        expected: 'one of the names of the certificate',
        fix: `${setClusterCommand(target)} --tls-server-name=${quote(tls.names.find((name) => !name.includes('*')) ?? 'NAME')}`,
      });
    default:
      return tls.chain.length === 0 ? brokenHandshake(target, tls) : unknownAuthority(target, tls);
  }
}

function unknownAuthority(target: Target, tls: TlsFacts): Finding {
  return failed('api-certificate', 'AuthorityUnknown', {
    found: `the certificate of ${tls.chain[0]?.subject ?? 'the server'} is signed by ${tls.chain[0]?.issuer ?? 'someone'}, and not by the authority in the kubeconfig (${tls.verdict})`,
    expected:
      'the ca.crt of this cluster (/etc/kubernetes/pki/ca.crt on a control plane node), brought here on a way you trust',
    fix: trustCommand(target),
  });
}

function brokenHandshake(target: Target, tls: TlsFacts): Finding {
  const plain = tls.verdict === 'ERR_SSL_WRONG_VERSION_NUMBER' || tls.verdict === 'ERR_SSL_PACKET_LENGTH_TOO_LONG';
  return failed('api-certificate', plain ? 'NotTls' : 'TlsFailed', {
    found: plain
      ? `${target.host}:${target.port} does not speak TLS`
      : `the handshake failed: ${tls.message ?? tls.verdict}`,
    expected: 'a kube-apiserver, or a load balancer that passes TLS on to it',
    fix: `openssl s_client -connect ${quote(`${target.host}:${target.port}`)} </dev/null`,
  });
}

function trustCommand(target: Target): string {
  const unset = target.insecure ? ' --insecure-skip-tls-verify=false' : '';
  return `${setClusterCommand(target)} --certificate-authority=ca.crt --embed-certs=true${unset}`;
}

function setClusterCommand(target: Target): string {
  return `kubectl config set-cluster ${quote(target.cluster)} --kubeconfig=${quote(target.file)}`;
}

/**
 * True when less than a fifth of the certificate's life and less than 30 days are left: so short-lived certificates that
 * rotate cause no warning.
 */
export function endsSoon({ fromMs, untilMs }: CertificateFacts, nowMs: number): boolean {
  return untilMs - nowMs < Math.min(30 * day, (untilMs - fromMs) / 5);
}

/** A time as `2026-11-22 22:30 UTC`. */
export function dateOf(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return 'at an unknown time';
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
