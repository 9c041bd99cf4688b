import type { KindName } from '../spec/kinds.ts';

/** What an operator may trust an API for, beside what concerns its own cluster alone. */
export const trustTopics = ['sites', 'zones', 'clusters'] as const;

export type TrustTopic = (typeof trustTopics)[number];
export type Trust = ReadonlySet<TrustTopic>;

export const noTrust: Trust = new Set();
export const fullTrust: Trust = new Set(trustTopics);

/**
 * For what an API must be trusted before it may say anything in a kind: prefixes, DNS zones, or clusters other than its own. A Cluster is
 * among them although it names itself: it says in which sites it runs, so whose prefixes it may use.
 */
export function topicOf(kind: KindName): TrustTopic {
  if (kind === 'Site') return 'sites';
  return kind.startsWith('Traffic') ? 'zones' : 'clusters';
}
