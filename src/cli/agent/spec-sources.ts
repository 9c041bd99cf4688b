import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { fullTrust, noTrust, type Trust, type TrustTopic, trustTopics } from '../../model/platform/trust.ts';
import { InputError } from '../../model/problem.ts';
import { platformOption } from '../platform-copy.ts';

/** A cluster whose API an agent follows beside that of its own cluster. */
interface OtherApi {
  readonly cluster: string;
  readonly kubeconfig: string;
}

export interface Trusted {
  readonly cluster: string;
  readonly topics: Trust;
}

/** What the command line says about where the platform spec is, and who is believed. */
export interface SpecArguments {
  readonly platform?: string;
  readonly platformApi: readonly OtherApi[];
  readonly platformTrust: readonly Trusted[];
}

/** The APIs that are sources of the spec, and what each is trusted for. */
export interface SpecSources {
  /** Undefined where the command line does not name the own API: of it only the kinds are read that speak of one cluster. */
  readonly own: Trust | undefined;
  readonly others: readonly (OtherApi & { readonly trust: Trust })[];
}

/** Adds the options of the platform spec; they are the same for every agent. */
export function addSpecOptions(command: Command): void {
  command
    .addOption(
      platformOption(
        'file or folder of the platform spec; watched, a bad edit changes nothing. Without it the spec is read from APIs, of which one must be trusted',
      ),
    )
    .option(
      '--platform-api <cluster=kubeconfig>',
      'read the platform spec in the API of this cluster too, besides that of the own one; may be given again',
      (text: string, before: readonly OtherApi[]) => [...before, parseOtherApi(text)],
      [],
    )
    .addOption(trustOption('believe the API of this cluster what concerns others'));
}

/** The option that names APIs and for what each is trusted. */
export function trustOption(what: string): Option {
  const topics = `${trustTopics.join(', ')}, or all of them; may be given again`;
  return new Option('--platform-trust <cluster[=topic,...]>', `${what}: ${topics}`)
    .argParser((text: string, before: readonly Trusted[]) => [...before, parseTrusted(text)])
    .default([]);
}

/** As a person writes it behind the option. */
export function trustText({ cluster, topics }: Trusted): string {
  return topics.size === trustTopics.length ? cluster : `${cluster}=${[...topics].join(',')}`;
}

/** A name that is safe in the name of a file. */
const name = '[a-z0-9](?:[-a-z0-9.]{0,61}[a-z0-9])?';

function parseOtherApi(text: string): OtherApi {
  const [, cluster, kubeconfig] = new RegExp(`^(${name})=(.+)$`).exec(text) ?? [];
  if (cluster === undefined || kubeconfig === undefined)
    throw new InvalidArgumentError('expected cluster=kubeconfig, e.g. newyork=/etc/tideline/newyork.kubeconfig.');
  return { cluster, kubeconfig: resolve(kubeconfig) };
}

function parseTrusted(text: string): Trusted {
  const [, cluster, list] = new RegExp(`^(${name})(?:=([a-z,]+))?$`).exec(text) ?? [];
  if (cluster === undefined)
    throw new InvalidArgumentError(`expected a cluster, or cluster=topic with topics of ${trustTopics.join(', ')}.`);
  if (list === undefined) return { cluster, topics: fullTrust };
  const topics = list.split(',').map((word): TrustTopic => {
    const topic = trustTopics.find((known) => known === word);
    if (topic === undefined) throw new InvalidArgumentError(`"${word}" is none of ${trustTopics.join(', ')}.`);
    return topic;
  });
  return { cluster, topics: new Set(topics) };
}

/**
 * The sources that the command line names for an agent of this cluster, which has an API or is a folder of manifests. Throws InputError for
 * a source that is named twice or trusted without being followed, and where nothing could ever say what the platform is.
 */
export function specSources(given: SpecArguments, cluster: string | undefined, hasApi: boolean): SpecSources {
  const followed = [
    ...(hasApi && cluster !== undefined ? [cluster] : []),
    ...given.platformApi.map((api) => api.cluster),
  ];
  for (const [index, one] of followed.entries()) if (followed.indexOf(one) < index) throw new InputError(twice(one));
  for (const { cluster: trusted } of given.platformTrust)
    if (!followed.includes(trusted)) throw new InputError(notFollowed(trusted, followed));
  const trustIn = (one: string): Trust | undefined => {
    const said = given.platformTrust.filter((trusted) => trusted.cluster === one);
    return said.length === 0 ? undefined : new Set(said.flatMap(({ topics }) => [...topics]));
  };
  if (given.platform === undefined) {
    const topics = new Set(followed.flatMap((one) => [...(trustIn(one) ?? [])]));
    if (!topics.has('sites') || !topics.has('clusters')) throw new InputError(nobodyTrusted(followed));
  }
  return {
    own: cluster === undefined ? undefined : trustIn(cluster),
    others: given.platformApi.map((api) => ({ ...api, trust: trustIn(api.cluster) ?? noTrust })),
  };
}

function twice(cluster: string) {
  return {
    reason: 'NamedTwice',
    path: '--platform-api',
    message: `the API of the cluster ${cluster} is named twice, or is that of the agent's own cluster`,
    fix: 'name each cluster once, and not the own one',
  };
}

function notFollowed(cluster: string, followed: readonly string[]) {
  return {
    reason: 'UnknownName',
    path: '--platform-trust',
    message: `the API of a cluster ${cluster} is not followed`,
    expected: followed.length === 0 ? 'none, because no API is followed' : `one of ${followed.join(', ')}`,
    fix: `correct the name, or give --platform-api ${cluster}=KUBECONFIG`,
  };
}

function nobodyTrusted(followed: readonly string[]) {
  return {
    reason: 'NoSpecSource',
    path: '--platform',
    message:
      'there is no folder, and no API is trusted for sites and clusters, so that nothing says what the platform is',
    fix:
      followed.length === 0
        ? 'name a folder, or give --platform-api and --platform-trust'
        : `name a folder, or say which API is believed: --platform-trust ${followed[0]}`,
  };
}
