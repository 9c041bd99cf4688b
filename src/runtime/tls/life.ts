import { X509Certificate } from 'node:crypto';

const dayMs = 86_400_000;
/** The end of a credential is announced this many days ahead, ever louder. */
const announcedDays = [1, 7, 30] as const;
/** With which level the log tells that a credential ends within so many days. */
export const levels = { 30: 'info', 7: 'warn', 1: 'error' } as const;

/** The life of a credential; times in ms since the epoch. */
export interface CredentialLife {
  readonly kind: 'certificate' | 'token';
  readonly subject?: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * The number of days within which the credential ends, of those that are announced; undefined when it ends later. A number that is
 * most of the credential's life is not announced: a token of an hour that somebody renews is no news.
 */
export function endsWithinDays({ fromMs, untilMs }: CredentialLife, nowMs: number): 1 | 7 | 30 | undefined {
  return announcedDays.find((days) => days * dayMs <= 0.9 * (untilMs - fromMs) && untilMs - nowMs <= days * dayMs);
}

/** The life of the first certificate of a PEM text; undefined when there is none that can be read. */
export function certificateLife(pem: string): CredentialLife | undefined {
  try {
    const { subject, validFromDate, validToDate } = new X509Certificate(pem);
    const [fromMs, untilMs] = [validFromDate.getTime(), validToDate.getTime()];
    return { kind: 'certificate', subject: subject.replaceAll('\n', ', '), fromMs, untilMs };
  } catch {
    return undefined;
  }
}
