import type { SpecReason } from '../../src/model/spec/reasons.ts';

/**
 * What must be read to find a reason: a `file` as text, one `object`, or the whole `platform`. With `both` it can be found within
 * one object and between objects. An API server sees one object at a time.
 */
export type Scope = 'file' | 'object' | 'platform' | 'both';

export const scopes: Readonly<Record<SpecReason, Scope>> = {
  FileMissing: 'file',
  FileUnreadable: 'file',
  FileEmpty: 'file',
  FolderEmpty: 'file',
  FileTooLarge: 'file',
  NotText: 'file',
  BadLineEnds: 'file',
  NotYaml: 'file',
  DuplicateKey: 'file',
  NotAnObject: 'object',
  UnknownApiVersion: 'object',
  UnknownKind: 'object',
  ManifestsHoldSpec: 'file',
  UnknownField: 'object',
  MissingField: 'object',
  WrongType: 'object',
  WrongValue: 'object',
  WrongChoice: 'object',
  BadFormat: 'object',
  BadAddress: 'object',
  BadPrefix: 'object',
  OutOfRange: 'object',
  EmptyList: 'object',
  DuplicateName: 'both',
  NamedTwice: 'object',
  UnknownName: 'platform',
  PoolOfOtherCluster: 'platform',
  NoPublicVip: 'platform',
  OverlappingPrefixes: 'both',
  PrefixTooWide: 'object',
  MissingServerAsn: 'object',
  OutsideServers: 'platform',
  OutsideVips: 'platform',
  DuplicateAddress: 'both',
  IngressClassTwice: 'platform',
  TooFewBlades: 'object',
  UnknownCountry: 'object',
  CountryTwice: 'object',
  RuleForNobody: 'object',
  AllWeightsZero: 'object',
  EmptyDefault: 'object',
  HostOutsideZone: 'object',
  HostTwice: 'both',
  DrainExpired: 'platform',
};
