import { readFileSync } from 'node:fs';
import { messageOf, withoutUndefined } from '../../src/model/values.ts';
import type { Client } from '../world/topology.ts';
import type { PodAnswer } from '../world/webserver.ts';
import type { ClientsConfig, Outcome } from './protocol.ts';
import { Connections } from './request.ts';
import { resolveWithSubnet } from './resolver.ts';

/**
 * The users of one region, in their namespace: each client resolves with its own subnet, honours the TTL, and sends a
 * steady stream whatever happens to the requests before. Every outcome is a line of JSON on standard output.
 */
const config = JSON.parse(process.argv[2] ?? '{}') as ClientsConfig;
const trust = readFileSync(config.trust, 'utf8');

class User {
  readonly #client: Client;
  readonly #connections = new Connections();
  #address: string | undefined;
  #validUntil = 0;
  #resolving: Promise<string> | undefined;
  #count = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  start(firstAfterMs: number): void {
    const intervalMs = 1000 / config.requestsPerSecond;
    setTimeout(() => {
      setInterval(() => void this.#send(), intervalMs);
    }, firstAfterMs);
  }

  async #send(): Promise<void> {
    this.#count += 1;
    const protocol = this.#count % 2 === 0 ? 'https' : 'http';
    const { country, resolver, address: source } = this.#client;
    const startedAtMs = Date.now();
    const startedAt = performance.now();
    let result: Omit<Outcome, 'country' | 'resolver' | 'protocol' | 'startedAtMs' | 'tookMs'>;
    let address: string | undefined;
    try {
      address = await this.#resolve();
      const { answer, retried } = await this.#connections.get({
        protocol,
        address,
        host: config.host,
        source,
        path: `/watch?from=${country}`,
        timeoutMs: config.timeoutMs,
        trust,
      });
      result = { retried, address, ...outcomeOf(answer.status, answer.body) };
    } catch (error) {
      const failure = messageOf(error);
      result = { retried: false, failure, ...withoutUndefined({ address }) };
    }
    const tookMs = Math.round((performance.now() - startedAt) * 10) / 10;
    const outcome: Outcome = { country, resolver, protocol, startedAtMs, tookMs, ...result };
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  }

  async #resolve(): Promise<string> {
    if (this.#address !== undefined && performance.now() < this.#validUntil) return this.#address;
    this.#resolving ??= this.#queryDns().finally(() => {
      this.#resolving = undefined;
    });
    return this.#resolving;
  }

  async #queryDns(): Promise<string> {
    const { resolver, address: source } = this.#client;
    const answer = await resolveWithSubnet({
      server: config.nameServers[resolver],
      host: config.host,
      subnet: source,
      source,
    });
    const [first] = answer.addresses;
    if (first === undefined) throw new Error(`Dns${answer.rcode === 'NOERROR' ? 'Empty' : answer.rcode}`);
    this.#validUntil = performance.now() + answer.ttlSeconds * 1000;
    if (first !== this.#address) this.#connections.closeIdle();
    this.#address = first;
    return first;
  }
}

function outcomeOf(status: number, body: string): Partial<Outcome> {
  if (status !== 200) return { failure: `Status${status}` };
  try {
    const { pod, node, cluster } = JSON.parse(body) as PodAnswer;
    return { pod, node, cluster };
  } catch {
    return { failure: 'BadBody' };
  }
}

for (const [index, client] of config.clients.entries())
  new User(client).start((index * 1000) / config.requestsPerSecond / config.clients.length);
