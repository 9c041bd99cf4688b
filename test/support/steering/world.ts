import { execFile } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { promisify } from 'node:util';
import { parseAddress } from '../../../src/model/address.ts';
import { countries } from '../../../src/model/geo/countries.ts';
import { entryAddresses } from '../../../src/model/platform/entries.ts';
import type { Cluster } from '../../../src/model/spec/kinds.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { loadPlatformOrThrow } from '../../../src/platform/load.ts';
import { issue } from '../certificates.ts';
import { nothing, eventually as wait } from '../eventually.ts';

const run = promisify(execFile);

/** The platform of examples/hybrid. */
export async function examplePlatform(): Promise<Platform> {
  return loadPlatformOrThrow(['examples/hybrid']);
}

/** The platform whose policy answers all users that no rule names with another cluster. */
export function withDefault(platform: Platform, cluster: string): Platform {
  const policies = new Map(platform.policies);
  const video = policies.get('video');
  if (video === undefined) return platform;
  const changed = { clusters: [{ name: cluster, weight: 100 }], failover: ['cloud'] };
  policies.set('video', { ...video, spec: { ...video.spec, default: changed } });
  return { ...platform, policies };
}

/** Every policy answers these networks with this cluster. */
export function withNetworks(platform: Platform, cluster: string, ...networks: readonly string[]): Platform {
  const rule = {
    networks: [...networks],
    countries: [],
    continents: [],
    clusters: [{ name: cluster, weight: 100 }],
    failover: [],
  };
  const policies = [...platform.policies].map(([name, policy]): [string, typeof policy] => [
    name,
    { ...policy, spec: { ...policy.spec, rules: [...policy.spec.rules, rule] } },
  ]);
  return { ...platform, policies: new Map(policies) };
}

/** The platform whose first rule, that of France, has these clusters behind its own. */
export function withFailover(platform: Platform, ...failover: readonly string[]): Platform {
  const video = platform.policies.get('video');
  const [first, ...others] = video?.spec.rules ?? [];
  if (video === undefined || first === undefined) return platform;
  const rules = [{ ...first, failover: [...failover] }, ...others];
  return {
    ...platform,
    policies: new Map(platform.policies).set('video', { ...video, spec: { ...video.spec, rules } }),
  };
}

/** The platform whose policy answers for one more host. */
export function withHost(platform: Platform, host: string): Platform {
  const policies = new Map(platform.policies);
  const video = policies.get('video');
  if (video === undefined) return platform;
  policies.set('video', { ...video, spec: { ...video.spec, hosts: [...video.spec.hosts, host] } });
  return { ...platform, policies };
}

/** The same platform with another health check of paris. */
export function withCheck(spec: Platform, change: Partial<Cluster['spec']['healthCheck']>): Platform {
  const paris = spec.clusters.get('paris');
  if (paris === undefined) return spec;
  const healthCheck = { ...paris.spec.healthCheck, ...change };
  return {
    ...spec,
    clusters: new Map(spec.clusters).set('paris', { ...paris, spec: { ...paris.spec, healthCheck } }),
  };
}

/** The platform whose cloud, and no other cluster, is reached over IPv6 as well. */
export function withIPv6OnCloud(platform: Platform): Platform {
  return withIPv6On(platform, 'cloud');
}

/** The platform of which these clusters are reached over IPv6 as well. */
export function withIPv6On(platform: Platform, ...names: readonly string[]): Platform {
  const clusters = new Map(platform.clusters);
  for (const [index, name] of names.entries()) {
    const cluster = clusters.get(name);
    const address = parseAddress(`2001:db8:6::${index + 1}0`);
    if (cluster === undefined || address === undefined) throw new Error(`no ${name}`);
    const anycast = [...entryAddresses(platform, name), address];
    clusters.set(name, { ...cluster, spec: { ...cluster.spec, entry: { anycast } } });
  }
  return { ...platform, clusters };
}

/** The platform whose paris has these addresses, of which so many must answer. */
export function withManyOfParis(
  platform: Platform,
  addresses: readonly string[],
  minHealthyAddresses: number,
): Platform {
  const counted = withCheck(platform, { minHealthyAddresses });
  const paris = counted.clusters.get('paris');
  if (paris === undefined) return counted;
  const anycast = addresses.flatMap((text) => parseAddress(text) ?? []);
  const spec = { ...paris.spec, entry: { anycast } };
  return { ...counted, clusters: new Map(counted.clusters).set('paris', { ...paris, spec }) };
}

/** The example with a fourth cluster, in which the first `count` countries have weights of their own and all have three choices. */
export async function withDifferentCountries(count: number): Promise<Platform> {
  const platform = await examplePlatform();
  const [video, cloud] = [platform.policies.get('video'), platform.clusters.get('cloud')];
  const address = parseAddress('203.0.113.77');
  if (video === undefined || cloud === undefined || address === undefined) throw new Error('no example');
  const spare = { ...cloud, metadata: { name: 'spare' }, spec: { ...cloud.spec, entry: { anycast: [address] } } };
  const mix = (weight: number) => ({
    clusters: [
      { name: 'paris', weight },
      { name: 'newyork', weight: 1 },
    ],
    failover: ['cloud', 'spare'],
  });
  const rules = countries
    .slice(0, count)
    .map(({ code }, index) => ({ countries: [code], continents: [], ...mix((index % 250) + 1) }));
  return {
    ...platform,
    clusters: new Map(platform.clusters).set('spare', spare),
    policies: new Map([['video', { ...video, spec: { ...video.spec, rules, default: mix(255) } }]]),
  };
}

/** The VIPs of the example on the loopback interface (of a namespace of our own), each with a health endpoint. */
export class Vips {
  readonly addresses: Readonly<Record<string, string>>;
  /** The text that a healthy endpoint answers with. */
  readonly text = '"state":"healthy"';
  /** The names that were asked for by TLS. */
  readonly names = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #odd = new Set<string>();
  readonly #servers: Server[] = [];

  /** With these addresses, by any name, beside those of the example. */
  constructor(more: Readonly<Record<string, string>> = {}) {
    this.addresses = { paris: '192.0.2.10', newyork: '198.51.100.10', cloud: '203.0.113.10', ...more };
  }

  async start(): Promise<void> {
    for (const [cluster, address] of Object.entries(this.addresses)) {
      await run('ip', ['addr', 'replace', `${address}/32`, 'dev', 'lo']);
      await this.#listen(createServer(this.#answerOf(cluster)), address, 80);
    }
  }

  /** Answers over TLS as well, with a certificate that nobody trusts and that is of another name. */
  async startTls(): Promise<void> {
    const { certificate: cert, key } = await issue({ name: 'somebody-else.example' });
    for (const [cluster, address] of Object.entries(this.addresses)) {
      const SNICallback = (name: string, done: (error: null) => void): void => {
        this.names.add(name);
        done(null);
      };
      await this.#listen(createTlsServer({ cert, key, SNICallback }, this.#answerOf(cluster)), address, 443);
    }
  }

  fail(...clusters: readonly string[]): void {
    this.#failed.clear();
    for (const cluster of clusters) this.#failed.add(cluster);
  }

  /** These answer 200 without the text. */
  answerOddly(...clusters: readonly string[]): void {
    this.#odd.clear();
    for (const cluster of clusters) this.#odd.add(cluster);
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    for (const address of Object.values(this.addresses)) await run('ip', ['addr', 'del', `${address}/32`, 'dev', 'lo']);
  }

  #answerOf(cluster: string): RequestListener {
    return (request, response) => {
      const known = request.url?.startsWith('/.well-known/tideline/health/video') === true;
      response
        .writeHead(known && !this.#failed.has(cluster) ? 200 : 503)
        .end(this.#odd.has(cluster) ? 'a page of somebody else' : `{${this.text}}`);
    };
  }

  async #listen(server: Server, address: string, port: number): Promise<void> {
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    this.#servers.push(server);
  }
}

/** Waits until `problem` resolves with undefined; rejects with the last problem. */
export async function eventually(problem: () => Promise<string | undefined>, timeoutMs = 15_000): Promise<void> {
  await wait('there is no problem', nothing(problem), { timeoutMs, everyMs: 50, onError: 'fail' });
}
