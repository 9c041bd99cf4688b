import { parseAddress, parsePrefix } from '../../model/address.ts';
import { countryOf } from '../../model/geo/countries.ts';
import { placeFix } from '../../model/geo/meant.ts';
import { stateOf } from '../../model/geo/states.ts';
import { poolOfBlade } from '../../model/platform/places.ts';
import { policyOfHost } from '../../model/platform/policies.ts';
import { InputError } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { didYouMean } from '../../model/spec/similar.ts';
import { unknownName } from '../../model/spec/unknown-name.ts';
import type { Snapshot } from '../../observe/snapshot.ts';
import type { Question } from '../../observe/why/questions.ts';
import type { Down } from '../../observe/why/suppose.ts';

/** The questions of `tideline why`, from words of the command line. Each throws InputError for a word that makes no sense. */

const hostPattern = /^(?=.{1,253}$)[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?)*$/;

export function hostQuestion(platform: Platform, text: string, path: string): Question {
  const host = hostIn(text);
  if (!path.startsWith('/')) throw bad('BadPath', `--path: ${path} is no path`, 'let it start with /');
  const policy = policyOfHost(platform, host);
  return { kind: 'host', asked: { host, path }, ...(policy === undefined ? {} : { policy }) };
}

export function countryQuestion(platform: Platform, text: string, host: string | undefined): Question {
  const code = text === 'unknown' ? undefined : text.toUpperCase();
  if (code !== undefined && countryOf(code) === undefined && stateOf(code) === undefined)
    throw bad(
      'UnknownCountry',
      `${text} is not a country or state that answers can be given for; "unknown" is taken too`,
      placeFix(text),
    );
  const hosts = host === undefined ? firstHosts(platform) : [hostOfPolicy(platform, hostIn(host))];
  if (hosts.length === 0)
    throw bad(
      'NoPolicy',
      'the spec has no TrafficPolicy, so no country is led anywhere',
      'ask for a host: tideline why host HOST FOLDER',
    );
  return { kind: 'country', hosts, ...(code === undefined ? {} : { country: code }) };
}

export function podQuestion(text: string): Question {
  const address = parseAddress(text);
  if (address === undefined)
    throw bad('BadAddress', `${text} is no IP address`, 'give the address of a pod, e.g. 10.10.1.1');
  return { kind: 'pod', address };
}

export function routeQuestion(text: string): Question {
  const prefix = parsePrefix(text);
  if (prefix === undefined)
    throw bad(
      'BadPrefix',
      `${text} is no prefix, or has bits behind its length`,
      'give a prefix, e.g. 10.10.1.0/26, or an address',
    );
  return { kind: 'route', prefix };
}

export function bladeQuestion(platform: Platform, blade: string): Question {
  if (poolOfBlade(platform, blade) === undefined) throw unknownObject('Blade', blade, bladesOf(platform));
  return { kind: 'blade', blade };
}

/** Throws for a Site, Cluster or Blade of --if that the spec does not have. */
export function checkDowns(platform: Platform, downs: readonly Down[]): void {
  const names = { Site: [...platform.sites.keys()], Cluster: [...platform.clusters.keys()], Blade: bladesOf(platform) };
  for (const { kind, name } of downs)
    if (kind !== 'Worker' && !names[kind].includes(name)) throw unknownObject(kind, name, names[kind]);
}

/** Throws for a Worker of --if that no cluster lists. */
export function checkWorkers({ agents, clusters }: Snapshot, downs: readonly Down[]): void {
  // Where a cluster cannot be read, a worker that it does not list may be there.
  if (clusters.some(({ problem }) => problem !== undefined)) return;
  const names = agents.flatMap(({ target }) => (target.plane === 'network' ? [target.server] : []));
  for (const { kind, name } of downs)
    if (kind === 'Worker' && !names.includes(name)) throw unknownObject(kind, name, names);
}

function bladesOf(platform: Platform): readonly string[] {
  return [...platform.edgePools.values()].flatMap(({ spec }) => spec.blades.map(({ name }) => name));
}

function unknownObject(kind: Down['kind'], name: string, names: readonly string[]): InputError {
  return new InputError(unknownName(kind, name, [...names]));
}

function hostIn(text: string): string {
  const host = text.toLowerCase().replace(/\.$/, '');
  if (!hostPattern.test(host)) throw bad('BadHost', `${text} is no host name`, 'give a name, e.g. www.video.example');
  return host;
}

function hostOfPolicy(platform: Platform, host: string) {
  const policy = policyOfHost(platform, host);
  if (policy === undefined)
    throw bad(
      'NoPolicy',
      `no policy answers for ${host}`,
      didYouMean(host, hostsOf(platform), 'ask for a host of spec.hosts of a TrafficPolicy'),
    );
  return { host, policy };
}

function hostsOf(platform: Platform): readonly string[] {
  return [...platform.policies.values()].flatMap(({ spec }) => spec.hosts);
}

function firstHosts(platform: Platform) {
  return [...platform.policies.values()].flatMap((policy) => {
    const [host] = policy.spec.hosts;
    return host === undefined ? [] : [{ host, policy }];
  });
}

function bad(reason: string, message: string, fix: string): InputError {
  return new InputError({ reason, message, fix });
}
