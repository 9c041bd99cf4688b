import type { Answers, Tier } from '../../../answers/answers.ts';
import type { Distribution } from '../../../answers/distribution.ts';
import type { RecordSet } from '../../../answers/record.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Collection } from '../compile/collections.ts';
import type { CountingCheck } from '../compile/counting.ts';
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
  /** How long the provider takes to call a failed endpoint unhealthy, and what that is made of. */
  detection(check: HealthCheck): { readonly seconds: number; readonly because: string };
  /** Reads records, which may be ours, somebody else's or changed by hand, as the provider does. */
  interpret(records: readonly RecordSet[]): Reading;
  /** What shows in the records of a host that Tideline wrote them; undefined when nothing does. */
  recognise(host: string, records: readonly RecordSet[], zone: string): Recognition | undefined;
  /** Records of a host's own name that answer as it does now, without any other name of ours, for the day when it is not ours any more. */
  plain(host: string, records: readonly RecordSet[]): Plain;
}

export interface Recognition {
  /** True only when all answers of the host are ours beyond doubt. */
  readonly isOurs: boolean;
  /** By what, as a part of a sentence. */
  readonly by: string;
}

export interface Plain {
  readonly records: readonly RecordSet[];
  /** What such records cannot say. */
  readonly notices: readonly SteeringNotice[];
}

/** What the provider accepts; a plan beyond it is refused before the provider is asked. */
export interface Limits {
  /** How many record sets one name and type may have, for example one for each location. */
  readonly recordsPerName: number;
  /** How many names one query may pass, the queried one included. */
  readonly levels: number;
  /** How many values one record set may have. */
  readonly values: number;
  /** How many characters one value may have. */
  readonly valueCharacters: number;
  readonly batch: BatchLimits & {
    /** `counted` where what a batch deletes takes as much of it as what it creates; `free` where only its names do. */
    readonly deletions: 'counted' | 'free';
  };
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
  /** The checks that count these, which records refer to as well; sorted by key. */
  readonly countingChecks: readonly CountingCheck[];
  /** The collection of networks that the records refer to; absent where they name none, or say themselves which these are. */
  readonly collection?: Collection;
  /** For each record type that is served: the tiers that the records really stand for, by country, state or network ('' for unknown). */
  readonly effective: ReadonlyMap<AddressType, ReadonlyMap<string, readonly Tier[]>>;
  /** The countries and states for which the records leave a first choice only when none of its addresses answers; empty for most. */
  readonly uncounted: ReadonlyMap<AddressType, ReadonlySet<string>>;
  readonly notices: readonly SteeringNotice[];
}

export interface Reading {
  /** The record types that hold an answer for a host, A before AAAA. */
  types(host: string): readonly AddressType[];
  /** The states (`US-CA`) and networks (`192.0.2.0/24`) whose users the records tell apart from others of their country, sorted. */
  apart(host: string, type: AddressType): readonly string[];
  /** The checks that decide about records with an address, each with that address. */
  readonly checks: readonly AddressCheck[];
  /**
   * A text that is equal for two hosts, of this reading, only if they give the same answers while these checks fail. Hosts of one
   * policy, or of policies with the same answers, mostly have the same: names and the paths of health checks do not count.
   */
  answersKey(host: string, type: AddressType, failed: readonly AddressCheck[]): string;
  /** What a host answers while these checks fail. Hosts with the same `answersKey` get the same view object for the same array. */
  view(host: string, type: AddressType, failed: readonly AddressCheck[]): View;
}

/** The health check of an address, as records name it. */
export type AddressCheck = Pick<HealthCheck, 'key' | 'address'>;

/** What one host answers in one state of health. */
export interface View {
  /** Shares by address, for a country, a state or a network that is told apart or, when undefined, for users of unknown location. */
  answer(country: string | undefined): Distribution;
  /** The records that decide for a country, outermost first; empty where one record decides for all. Of hosts that share a view: of the one asked first. */
  trace(country: string | undefined): readonly RecordSet[];
  /** The cluster that an address of the answer stands for, where the records themselves name it. */
  clusterOf(address: string): string | undefined;
}
