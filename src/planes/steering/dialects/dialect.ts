import type { Answers, Tier } from '../../../answers/answers.ts';
import type { Distribution } from '../../../answers/distribution.ts';
import type { RecordSet } from '../../../answers/record.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { AddressType, Entry, HealthCheck } from '../compile/entries.ts';
import type { SteeringNotice } from '../reasons.ts';

export type ProviderName = TrafficPolicy['spec']['dns']['providers'][number];

/**
 * How answers are said to one kind of name server, and what it makes of records: everything that differs between providers
 * but the way to reach them (`providers/`). Pure. A plan is refused unless `interpret` reads in the records of `compile`, for every
 * country and set of failed clusters, what the policy wants; so `interpret` is written from the provider's documentation
 * and never from `compile`, and the conformance suite compares both with the real server.
 */
export interface Dialect {
  /** The provider's name in sentences. */
  readonly title: string;
  readonly limits: Limits;
  /** Types of records that answer for a host: of hosts that are ours, those that Tideline compares, replaces and deletes. */
  readonly answerTypes: readonly string[];
  /** What a policy becomes. Throws an InputError when no cluster of it has an address, and TooManyRecords. */
  compile(input: CompileInput): Compiled;
  /** A reader of these records, which may be ours, somebody else's or changed by hand. */
  interpret(records: readonly RecordSet[]): Reading;
}

/** What the provider accepts; a plan keeps within it before the provider says so. */
export interface Limits {
  /** Record sets of one name and type: the locations of a name, for one. */
  readonly recordsPerName: number;
  /** Names that one query may pass, the queried one included. */
  readonly levels: number;
  /** Values of one record set. */
  readonly values: number;
  readonly batch: BatchLimits;
}

/** What one atomic batch may hold. */
export interface BatchLimits {
  /** Values and aliases. */
  readonly elements: number;
  /** Of all values together. */
  readonly characters: number;
}

export interface CompileInput {
  readonly answers: Answers;
  readonly hosts: readonly string[];
  readonly zone: string;
  readonly ttlSeconds: number;
  readonly entries: readonly Entry[];
}

/** Records are sorted by identity, checks by key. */
export interface Compiled {
  readonly records: readonly RecordSet[];
  /** Checks that the records refer to; none when the provider's records say themselves what to probe. */
  readonly healthChecks: readonly HealthCheck[];
  /** For each record type that is served: the tiers that the records really stand for, by country ('' for unknown). */
  readonly effective: ReadonlyMap<AddressType, ReadonlyMap<string, readonly Tier[]>>;
  readonly notices: readonly SteeringNotice[];
}

export interface Reading {
  /** The record types that hold an answer for a host, A before AAAA. */
  types(host: string): readonly AddressType[];
  /** What a host answers while these checks fail. Of hosts that hold the same, and the same array, it is the same view. */
  view(host: string, type: AddressType, failed: readonly HealthCheck[]): View;
}

export interface View {
  /** Shares by address, for a country code or, when undefined, for users of unknown location. */
  answer(country: string | undefined): Distribution;
  /** The records that decide for a country, outermost first; empty where one record decides for all. */
  trace(country: string | undefined): readonly RecordSet[];
  /** The cluster that an address of the answer stands for, where the records themselves name it. */
  clusterOf(address: string): string | undefined;
}
