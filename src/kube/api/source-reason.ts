import type { StaleReason } from '../source.ts';
import type { ApiError } from './client.ts';

/** Why a source of an API may be stale. */
export type RequestTrouble = Exclude<StaleReason, 'SourceMissing' | 'SourceEmpty' | 'SourceImplausible'>;

const byStatus: Readonly<Record<number, RequestTrouble>> = {
  401: 'SourceUnauthorized',
  403: 'SourceForbidden',
  404: 'SourceKindMissing',
  429: 'SourceThrottled',
};

const byName: Readonly<Record<string, RequestTrouble>> = {
  NoCredentials: 'SourceUnauthorized',
  OtherCluster: 'SourceOfOtherCluster',
  Untrusted: 'SourceUntrusted',
  BadAnswer: 'SourceUnreadable',
};

/** Why a cluster cannot be read, by the error of a request. */
export function sourceReason({ status, reason }: Pick<ApiError, 'status' | 'reason'>): RequestTrouble {
  return byStatus[status] ?? byName[reason] ?? 'SourceUnreachable';
}
