import { type Answer, type Finding, failed, ok, quote, warning } from '../finding.ts';
import type { Target } from '../target.ts';
import { dateOf, endsSoon } from './certificate.ts';

export interface Identity {
  readonly username: string;
  readonly groups: readonly string[];
}

/** The answer to a SelfSubjectReview. `refused`: the server answered 401. `unusable`: the kubeconfig gave no credentials. */
export type IdentityAnswer = Answer<Identity> | { readonly refused: string } | { readonly unusable: string };

/** Judges whether the server accepts our credentials. An expired client certificate is told apart from an unknown one. */
export function judgeCredentials(target: Target, answer: IdentityAnswer, nowMs: number): Finding {
  const expired = judgeDates(target, nowMs);
  if (expired?.state === 'failed') return expired;
  if ('unusable' in answer)
    return failed('api-credentials', 'CredentialsUnusable', {
      found: answer.unusable,
      expected: `credentials for user ${target.user} in ${target.file}`,
      fix: `kubectl config view --kubeconfig=${quote(target.file)}`,
    });
  if ('refused' in answer)
    return failed('api-credentials', 'CredentialsRefused', {
      found: `the server does not know us (401)${certificateText(target)}`,
      expected: 'a token that has not expired, or a client certificate signed by the client authority of this cluster',
      fix: `kubectl auth whoami --kubeconfig=${quote(target.file)} --context=${quote(target.context)}`,
    });
  if ('failed' in answer || 'missing' in answer) {
    const found = 'failed' in answer ? answer.failed : 'the server has no SelfSubjectReview (Kubernetes before 1.28)';
    return { check: 'api-credentials', state: 'unknown', reason: 'AnswerFailed', found, fix: 'run the check again' };
  }
  if ('forbidden' in answer) return forbidden(target);
  if (answer.got.username === 'system:anonymous') return anonymous(target);
  return expired ?? ok('api-credentials', identityText(answer.got));
}

/** An identity as `tideline:edge:blade-1 (tideline:edge)`, without the group that everyone is in. */
export function identityText({ username, groups }: Identity): string {
  const own = groups.filter((group) => group !== 'system:authenticated');
  return own.length === 0 ? username : `${username} (${own.join(', ')})`;
}

function forbidden(target: Target): Finding {
  if (target.clientCertificate === undefined && target.user === '') return anonymous(target);
  return failed('api-credentials', 'AccessForbidden', {
    found: 'the server refuses even the question who we are (403)',
    expected: 'the ClusterRole system:basic-user bound to system:authenticated, as Kubernetes installs it',
    fix: 'kubectl create clusterrolebinding system:basic-user --clusterrole=system:basic-user --group=system:authenticated',
  });
}

function anonymous(target: Target): Finding {
  return failed('api-credentials', 'Anonymous', {
    found: 'no credentials were given: the server takes us for system:anonymous',
    expected: `a user in context ${target.context}`,
    fix: `kubectl config set-context ${quote(target.context)} --user=USER --kubeconfig=${quote(target.file)}`,
  });
}

function judgeDates({ clientCertificate: certificate, user, file }: Target, nowMs: number): Finding | undefined {
  if (certificate === undefined) return undefined;
  const { subject, fromMs, untilMs } = certificate;
  const fix = `kubectl config set-credentials ${quote(user)} --kubeconfig=${quote(file)} --client-certificate=client.crt --client-key=client.key --embed-certs=true`;
  if (untilMs <= nowMs)
    return failed('api-credentials', 'ClientCertificateExpired', {
      found: `the client certificate of ${subject} expired ${dateOf(untilMs)}, now is ${dateOf(nowMs)}`,
      expected: 'a client certificate that is valid now: have a new one signed',
      fix,
    });
  if (fromMs > nowMs)
    return failed('api-credentials', 'ClientCertificateNotYetValid', {
      found: `the client certificate of ${subject} is valid from ${dateOf(fromMs)}, now is ${dateOf(nowMs)}`,
      expected: 'a clock that is right on this machine, and where the certificate was signed',
      fix: 'timedatectl set-ntp true',
    });
  if (!endsSoon(certificate, nowMs)) return undefined;
  return warning('api-credentials', 'CertificateEndsSoon', {
    found: `the client certificate of ${subject} ends ${dateOf(untilMs)}`,
    fix,
  });
}

function certificateText({ clientCertificate }: Target): string {
  if (clientCertificate === undefined) return '';
  return `: the client certificate of ${clientCertificate.subject}, signed by ${clientCertificate.issuer}, is not from an authority it trusts`;
}
