import { get } from 'node:http';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import { healthPathOf } from '../../../src/model/contract.ts';
import { sleep, systemClock } from '../../../src/runtime/clock.ts';
import { resolveFor } from './resolve.ts';
import { eventually } from './world.ts';

const countries = ['FR', 'US', 'JP', 'GB'] as const;
type Country = (typeof countries)[number];

export interface MigrationClientsOptions {
  /** The name server that all of them ask. */
  readonly dns: { readonly host: string; readonly port: number };
  readonly host: string;
  /** The address of each cluster, by its name. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** Clients of four countries that resolve a host and make a request, again and again. They begin at once. */
export class MigrationClients {
  requests = 0;
  readonly failures: string[] = [];
  readonly #options: MigrationClientsOptions;
  readonly #seen = new Map<Country, Set<string>>();
  #ended = false;
  readonly #running: Promise<unknown>;

  constructor(options: MigrationClientsOptions) {
    this.#options = options;
    this.#running = Promise.all(countries.map((country) => this.#run(country)));
  }

  /** Forgets what was seen before, and waits until each country has been answered several times. */
  async clustersNow(): Promise<Readonly<Record<string, readonly string[]>>> {
    this.#seen.clear();
    const { requests } = this;
    await eventually(async () => (this.requests > requests + 40 ? undefined : 'too few requests'));
    return Object.fromEntries(countries.map((country) => [country, [...(this.#seen.get(country) ?? [])].toSorted()]));
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#running;
  }

  async #run(country: Country): Promise<void> {
    while (!this.#ended) {
      await this.#once(country).catch((error: unknown) => this.failures.push(`${country}: ${String(error)}`));
      await sleep(systemClock, 20);
    }
  }

  async #once(country: Country): Promise<void> {
    const { dns, host, addresses } = this.#options;
    this.requests += 1;
    const [address] = await resolveFor(dns, host, clientAddress(country, 0));
    if (address === undefined) throw new Error('no address');
    const code = await new Promise<number | undefined>((resolve, reject) => {
      const path = healthPathOf('video');
      const call = get({ host: address, port: 80, path, headers: { host }, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.once('error', reject);
    });
    if (code !== 200) throw new Error(`${address} answers ${code}`);
    const cluster = Object.entries(addresses).find(([, vip]) => vip === address)?.[0] ?? address;
    this.#seen.set(country, (this.#seen.get(country) ?? new Set()).add(cluster));
  }
}
