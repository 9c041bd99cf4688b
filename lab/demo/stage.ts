import type { Account } from '../clients/ledger.ts';
import { type Missing, stillMissing } from '../missing.ts';
import { type AgentView, agentViews } from '../observe/agents.ts';
import { type AlertView, alertViews } from '../observe/alerts.ts';
import { clusterOfAddress, dnsViews } from '../observe/dns.ts';
import { missingNow } from '../observe/whole.ts';
import { kernelRoutes } from '../world/routes.ts';
import type { DemoPort, Faults } from './port.ts';
import { expect, Unmet } from './unmet.ts';

/**
 * How long a step waits for what must come. It is only there to end: how long users may notice a fault is the tolerance of the step, and
 * a machine that is busy with something else is slow in everything else.
 */
const patienceMs = 60_000;
/** A wait that takes longer than this is told to the person. */
const silentMs = 1500;

/**
 * The operations by which steps observe and change the world. They observe from outside: by clients, routers, name servers,
 * agents.
 */
export class Stage {
  readonly lab: DemoPort;
  readonly board: Faults;
  readonly #narrate: (line: string) => void;
  /** When the step's fault began, ms since the epoch. */
  faultAtMs: number | undefined;

  constructor(lab: DemoPort, board: Faults, narrate: (line: string) => void) {
    this.lab = lab;
    this.board = board;
    this.#narrate = narrate;
  }

  now(): number {
    return this.lab.clock.now();
  }

  /** Tells the person what happens now. */
  narrate(line: string): void {
    this.#narrate(line);
  }

  /** The clients' account of the requests since `fromMs`. */
  accountSince(fromMs: number): Account {
    return this.lab.ledger.window(fromMs);
  }

  async fault(name: string, target: string): Promise<void> {
    this.faultAtMs ??= this.now();
    await this.board.begin(name, target);
  }

  async heal(name: string): Promise<void> {
    await this.board.heal(name);
  }

  /** Polls until `missing` reports that nothing is missing; after `timeoutMs` throws Unmet with its last report. */
  async until(missing: Missing, timeoutMs = patienceMs): Promise<void> {
    const word = await stillMissing(missing, { clock: this.lab.clock, timeoutMs });
    if (word !== undefined) throw new Unmet(`after ${Math.round(timeoutMs / 1000)} s: ${word}`);
  }

  /**
   * Waits until the platform is as it is without faults: every session is up, every agent follows its cluster, every blade announces its
   * VIPs and every worker its blocks. What is measured afterwards is not the end of what was before. It tells what it waits for.
   */
  async untilWhole(): Promise<void> {
    const from = this.now();
    let said: string | undefined;
    await this.until(async () => {
      const missing = await missingNow(this.lab);
      if (missing !== undefined && missing !== said && this.now() - from > silentMs) {
        said = missing;
        this.narrate(`Waiting: ${missing}.`);
      }
      return missing;
    });
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.lab.clock.setTimeout(resolve, ms);
    });
  }

  /** Waits until no request has failed for `quietMs`, which means that the fault is over for the clients. */
  async waitUntilNoFailures(quietMs: number): Promise<void> {
    const from = this.now();
    await this.until(() => {
      const quietFrom = Math.max(from, this.now() - quietMs);
      const account = this.accountSince(quietFrom);
      if (this.now() - from < quietMs) return 'too early to tell';
      const [failure] = account.failures;
      return failure === undefined ? undefined : `requests still fail: ${failure.country} ${failure.reason}`;
    });
  }

  /** Waits until the requests in flight have ended, so that an account up to now is complete. */
  async waitForRequestsInFlight(): Promise<void> {
    await this.pause(2200);
  }

  /** The kernel routes of a cluster's top-of-rack router, each as `prefix via next hops`. */
  async rackRoutes(cluster: string): Promise<readonly string[]> {
    const router =
      this.lab.world.datacentres.find((datacentre) => datacentre.cluster === cluster)?.router.name ?? cluster;
    return (await kernelRoutes(this.lab.network, router)).map(({ prefix, via }) => `${prefix} via ${via.join(' ')}`);
  }

  /** The next hops of one prefix on a cluster's top-of-rack router; empty when it has no route. */
  async nextHops(cluster: string, prefix: string): Promise<readonly string[]> {
    const line = (await this.rackRoutes(cluster)).find((route) => route.startsWith(`${prefix} `));
    return line?.split(' ').slice(2) ?? [];
  }

  agents(): Promise<readonly AgentView[]> {
    return agentViews(this.lab);
  }

  /** The alerts that fire now. Throws Unmet when Prometheus does not answer. */
  async alerts(): Promise<readonly AlertView[]> {
    const alerts = await alertViews(this.lab);
    expect(alerts !== undefined, 'Prometheus does not answer');
    return alerts;
  }

  /** The clusters that each name server's answer leads a country to, now. */
  async answers(): Promise<
    readonly { readonly country: string; readonly route53: string; readonly powerdns: string }[]
  > {
    const name = (addresses: readonly string[]): string =>
      addresses.map((address) => clusterOfAddress(this.lab, address) ?? address).join(',');
    return (await dnsViews(this.lab)).map(({ country, route53, powerdns }) => ({
      country,
      route53: name(route53),
      powerdns: name(powerdns),
    }));
  }
}
