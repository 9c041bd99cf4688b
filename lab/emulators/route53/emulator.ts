import { randomInt, randomUUID } from 'node:crypto';
import { continentOf } from '../../../src/model/geo/countries.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { Log } from '../../../src/runtime/log.ts';
import { RateLimiter } from './api/buckets.ts';
import type { Account } from './api/operation.ts';
import { Outage, type OutageState, serveApi } from './api/server.ts';
import { CidrCollections } from './cidr/collections.ts';
import { type DnsServer, serveDns } from './dns/server.ts';
import { Checkers } from './health/checkers.ts';
import { probeEndpoint } from './health/probe.ts';
import { HealthChecks } from './health/registry.ts';
import { describeStatus } from './status.ts';
import type { Place } from './zone/answer.ts';
import { Zones } from './zone/zones.ts';

export interface Endpoint {
  readonly host: string;
  /** The port; 0 chooses a free one. */
  readonly port: number;
}

export interface EmulatorOptions {
  readonly api: Endpoint;
  readonly dns: Endpoint;
  /** More name servers, each of which answers with a change only so long after it is INSYNC. */
  readonly lateDns?: readonly (Endpoint & { readonly lagMs: number })[];
  /** Health check intervals and timeouts are divided by this. */
  readonly timeCompression: number;
  readonly insyncDelayMs: number;
  /** The account's requests a second, and how many at once; with rate 0 there are no limits. */
  readonly rate: number;
  readonly burst: number;
  /** Checkers for each health check. */
  readonly checkers: number;
  readonly allowPrivateEndpoints: boolean;
  /** How many health checks the account may have; absent for Route 53's default of 200. */
  readonly healthCheckQuota?: number;
  /** How many records a zone may have; absent for Route 53's default of 10,000. */
  readonly recordQuota?: number;
  /** How many hosted zones the account may have; absent for Route 53's default of 500. */
  readonly zoneQuota?: number;
  /** The order in which the API shows the values of a record: in any, which is all that Route 53 promises, unless it is told otherwise. */
  readonly valueOrder?: keyof typeof valueOrders;
  /** Whether a batch may leave an alias without its target; absent: it is refused. */
  readonly danglingAliases?: 'refused' | 'left';
  /** The ISO 3166-1 alpha-2 code of the country that an address is in; undefined when it is unknown. */
  readonly countryOf: (address: string) => string | undefined;
  /** The state of the US that an address is in, as `US-CA`; absent where none is ever known. */
  readonly stateOf?: (address: string) => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Emulator {
  readonly apiUrl: string;
  readonly dns: Endpoint;
  readonly lateDns: readonly Endpoint[];
  /** Takes the control plane out of order, or puts it back; DNS and health checks go on. */
  setOutage(state: OutageState): void;
  /** Lets this share of the checkers (from 0 to 1) not reach an address, as if the network between were broken. */
  cutOff(address: string, share: number): void;
  stop(): Promise<void>;
}

/** Starts the whole emulator: API, DNS and health checkers. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { clock, log } = options;
  const unreachable = new Map<string, number>();
  const checkers = new Checkers({
    clock,
    unreachableFor: (address) => unreachable.get(address) ?? 0,
    probe: probeEndpoint,
    compression: options.timeCompression,
    count: options.checkers,
    onChange: logHealth(log),
  });
  const healthChecks = new HealthChecks(checkers, randomUUID, options.healthCheckQuota ?? 200);
  const zones = new Zones({
    clock,
    insyncDelayMs: options.insyncDelayMs,
    newId,
    longestLagMs: Math.max(0, ...(options.lateDns ?? []).map(({ lagMs }) => lagMs)),
    recordQuota: options.recordQuota ?? 10_000,
    zoneQuota: options.zoneQuota ?? 500,
    danglingAliases: options.danglingAliases ?? 'refused',
    onInsync: (zone, change) => log.info({ zone, change }, 'change in sync'),
  });
  const cidrCollections = new CidrCollections(randomUUID, (id) => locationsUsed(zones, id));
  const nameServer = ({ host, port }: Endpoint, lagMs: number): Promise<DnsServer> =>
    serveDns({
      host,
      port,
      log,
      zoneOf: (name) => zones.zoneOf(name, lagMs),
      placeOf: (address) => placeIn(options.countryOf(address), options.stateOf?.(address)),
      locationOf: (id, client) => cidrCollections.locationOf(id, client),
      isHealthy: (id) => healthChecks.isHealthy(id),
      random: Math.random,
    });
  const dns = await nameServer(options.dns, 0);
  const late: DnsServer[] = [];
  const outage = new Outage();
  const account: Account = {
    zones,
    healthChecks,
    checkers,
    cidrCollections,
    tags: new Map(),
    valueOrder: valueOrders[options.valueOrder ?? 'any'],
    healthRules: { allowPrivateEndpoints: options.allowPrivateEndpoints },
    clock,
    log,
  };
  const stopInside = async (): Promise<void> => {
    checkers.stop();
    zones.stop();
    await Promise.all([dns, ...late].map((server) => server.stop()));
  };
  try {
    for (const one of options.lateDns ?? []) late.push(await nameServer(one, one.lagMs));
    const api = await serveApi({
      ...options.api,
      account,
      limiter: new RateLimiter(clock, options.rate, options.burst),
      status: () => describeStatus(account, options, dns),
      outage,
    });
    return {
      apiUrl: api.url,
      dns: { host: dns.host, port: dns.port },
      lateDns: late.map(({ host, port }) => ({ host, port })),
      setOutage: (state) => {
        outage.state = state;
      },
      cutOff: (address, share) => void unreachable.set(address, share),
      async stop() {
        await api.stop();
        await stopInside();
      },
    };
  } catch (error) {
    await stopInside();
    throw error;
  }
}

const logHealth =
  (log: Log): ConstructorParameters<typeof Checkers>[0]['onChange'] =>
  (check, healthy, detail) =>
    log.info({ healthCheck: check.id, address: check.settings.address, healthy, detail }, 'health check changed');

/** The locations of a CIDR collection that records name. */
function locationsUsed(zones: Zones, collectionId: string): readonly { readonly location: string }[] {
  const records = zones.list().flatMap(({ table }) => table.all());
  return records.flatMap(({ routing }) =>
    routing.kind === 'cidr' && routing.collectionId === collectionId ? [routing] : [],
  );
}

/** An id like Route 53's: a letter and twenty characters of A-Z and 0-9. */
function newId(letter: string): string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  return letter + Array.from({ length: 20 }, () => alphabet[randomInt(alphabet.length)]).join('');
}

const valueOrders = {
  any: shuffled,
  written: (values: readonly string[]) => values,
  reversed: (values: readonly string[]) => values.toReversed(),
};

function shuffled(values: readonly string[]): readonly string[] {
  return values
    .map((value) => ({ value, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

function placeIn(country: string | undefined, state: string | undefined): Place {
  const continent = country === undefined ? undefined : continentOf(country);
  const [ofCountry, subdivision] = state?.split('-') ?? [];
  return { country, continent, subdivision: ofCountry === country ? subdivision : undefined };
}
