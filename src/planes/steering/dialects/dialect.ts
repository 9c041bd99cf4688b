import type { Answers, Tier } from '../../../answers/answers.ts';
import type { Distribution } from '../../../answers/distribution.ts';
import type { RecordSet } from '../../../answers/record.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { AddressType, Entry, HealthCheck } from '../compile/entries.ts';
import type { SteeringNotice } from '../reasons.ts';

export type ProviderName = TrafficPolicy['spec']['dns']['providers'][number];

/**
 * How answers are written as records for one kind of name server, and what that server answers from records: everything that
 * differs between providers but the way to reach them (`providers/`). Pure. A plan is refused unless `interpret`, given the records
 * of `compile`, answers what the policy wants for every country and set of failed clusters. So `interpret` is written from the
 * provider's documentation and never from `compile`, and the conformance suite compares both with the real server.
 */
export interface Dialect {
  /** The provider's name, as sentences write it. */
  readonly title: string;
  readonly limits: Limits;
  /**
   * Types of the records that answer for a host. Tideline compares, replaces and deletes records of these types on hosts that
   * are ours.
   */
  readonly answerTypes: readonly string[];
  /** Compiles a policy into records. Throws an InputError when none of its clusters has an address, and TooManyRecords. */
  compile(input: CompileInput): Compiled;
  /** Reads records, which may be ours, somebody else's or changed by hand, as the provider does. */
  interpret(records: readonly RecordSet[]): Reading;
}

/** What the provider accepts; a plan beyond it is refused before the provider is asked. */
export interface Limits {
  /** How many record sets one name and type may have, for example one for each location. */
  readonly recordsPerName: number;
  /** How many names one query may pass, the queried one included. */
  readonly levels: number;
  /** How many values one record set may have. */
  readonly values: number;
  readonly batch: BatchLimits;
}

/** What one atomic batch may hold. */
export interface BatchLimits {
  /** How many values and aliases. */
  readonly elements: number;
  /** How many characters all values may have together. */
  readonly characters: number;
}

export interface CompileInput {
  readonly answers: Answers;
  readonly hosts: readonly string[];
  readonly zone: string;
  readonly ttlSeconds: number;
  readonly entries: readonly Entry[];
}

/** What a policy is compiled into. Records are sorted by identity, checks by key. */
export interface Compiled {
  readonly records: readonly RecordSet[];
  /** The health checks that the records refer to; none when the provider's records say themselves what to probe. */
  readonly healthChecks: readonly HealthCheck[];
  /** For each record type that is served: the tiers that the records really stand for, by country ('' for unknown). */
  readonly effective: ReadonlyMap<AddressType, ReadonlyMap<string, readonly Tier[]>>;
  readonly notices: readonly SteeringNotice[];
}

export interface Reading {
  /** The record types that hold an answer for a host, A before AAAA. */
  types(host: string): readonly AddressType[];
  /** What a host answers while these checks fail. Hosts with the same records get the same view object for the same array. */
  view(host: string, type: AddressType, failed: readonly HealthCheck[]): View;
}

/** What one host answers in one state of health. */
export interface View {
  /** Shares by address, for a country code or, when undefined, for users of unknown location. */
  answer(country: string | undefined): Distribution;
  /** The records that decide for a country, outermost first; empty where one record decides for all. */
  trace(country: string | undefined): readonly RecordSet[];
  /** The cluster that an address of the answer stands for, where the records themselves name it. */
  clusterOf(address: string): string | undefined;
}
