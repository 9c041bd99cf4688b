import type { Drain } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { Following } from '../observe/drain-dns.ts';
import { systemClock } from '../runtime/clock.ts';
import type { NameServerArguments } from './name-servers.ts';
import type { TlsArguments } from './tls.ts';

export interface AnswersOptions extends TlsArguments, NameServerArguments {
  /** No answer is waited for longer than this. */
  readonly patienceMs?: number;
}

/** What name servers answer to users whom Drains lead away; nobody is asked where no Drain concerns DNS. Never rejects. */
export async function answersNow(platform: Platform, options: AnswersOptions): Promise<ReadonlyMap<string, Following>> {
  const concernsDns = ({ spec }: Drain): boolean => spec.target.kind === 'Cluster' || spec.target.kind === 'Site';
  if (![...platform.drains.values()].some(concernsDns)) return new Map();
  const { askFollowing } = await import('../observe/drain-dns.ts');
  const { asking } = await import('./why/asking.ts');
  const { patienceMs = 3000 } = options;
  const means = await asking(platform, options);
  const { promise: within, resolve } = Promise.withResolvers<string>();
  const timer = systemClock.setTimeout(() => resolve(`no answer within ${patienceMs / 1000} s`), patienceMs);
  return askFollowing(platform, systemClock.now(), means, within).finally(() => timer.cancel());
}
