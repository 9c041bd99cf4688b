import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Binaries } from '../control-plane/binaries.ts';
import type { Admin } from '../fleet/admin.ts';
import { LabFleet } from '../fleet/fleet.ts';
import type { Operator } from '../fleet/operator.ts';
import { place } from '../fleet/router.ts';
import { edgeVip, type FleetShape } from '../fleet/spec.ts';
import { labNetworks, Network } from '../net/network.ts';
import { Requests, startAsking } from './requests.ts';

/** What `make kubernetes`, `make servers` and `make salt` made. */
export interface FleetPrograms {
  readonly root: string;
  readonly programs: string;
  readonly binaries: Binaries;
  readonly salt: string;
}

export interface FleetWorldOptions extends FleetPrograms {
  /** A folder for the disks of servers and all that an operator has; it must lie on no overlay. It is emptied, and removed at the end. */
  readonly folder: string;
  readonly node: string;
  readonly clock: Clock;
  /** Called when a stage of a start has ended. */
  readonly say: (stage: string) => void;
}

/** The host of the application behind the edge. */
export const host = 'first.paris.example';
export const client = { namespace: 'client', address: '198.18.0.10', gateway: '198.18.0.1' } as const;
/** A request without an answer for so long has failed. */
export const requestTimeoutMs = 5000;
const asker = join(import.meta.dirname, 'asker/main.ts');

/** Servers, a router, an operator and a client behind the router: what the scenario is played on. */
export class FleetWorld {
  readonly network = new Network(labNetworks);
  readonly requests = new Requests();
  readonly clock: Clock;
  readonly #options: FleetWorldOptions;
  shape: FleetShape = { masters: 3, workers: 2, blades: 1, kubeconfig: '../paris.kubeconfig' };
  #fleet: LabFleet | undefined;
  #operator: Operator | undefined;
  #admin: Admin | undefined;

  constructor(options: FleetWorldOptions) {
    this.#options = options;
    this.clock = options.clock;
  }

  get fleet(): LabFleet {
    return there(this.#fleet, 'no servers');
  }

  get operator(): Operator {
    return there(this.#operator, 'no Salt master');
  }

  get admin(): Admin {
    return there(this.#admin, 'no cluster');
  }

  /** Boots bare servers beside a router with a client behind it, and the machine of an operator with a Salt master. */
  async boot(): Promise<void> {
    const { folder, root, programs, binaries, salt, say } = this.#options;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const { network, shape } = this;
    this.#fleet = new LabFleet({ folder, network, root, programs, binaries, salt, shape, say });
    await this.#fleet.boot();
    await this.#addClient();
    this.#operator = await this.#fleet.bootOperator();
    await this.#bringSpec();
  }

  /** Edits the spec on the operator's machine. */
  async change(shape: Partial<FleetShape>): Promise<void> {
    this.shape = { ...this.shape, ...shape };
    await this.fleet.compile(this.shape);
    await this.#bringSpec();
  }

  /** Boots a server of the spec with an empty disk, as a minion that the Salt master knows. */
  async bootMinion(name: string): Promise<void> {
    await this.operator.start([await this.fleet.bootServer(name)]);
  }

  async #bringSpec(): Promise<void> {
    await this.operator.bring(join(this.#options.folder, 'platform'));
  }

  /** Gives the operator kubectl, once there is a kubeconfig. */
  async useKubectl(): Promise<void> {
    const { folder, binaries } = this.#options;
    this.#admin = await this.operator.admin({ network: this.network, folder, kubectl: binaries.kubectl });
  }

  /** From now on the client asks the edge's VIP, until the end. */
  startClient(): void {
    const { network, requests } = this;
    startAsking(
      { network, namespace: client.namespace, program: asker, node: this.#options.node },
      { address: edgeVip, host, source: client.address, requestsPerSecond: 20, timeoutMs: requestTimeoutMs },
      requests,
    );
  }

  /** What the client gets from an address; rejects where that is nothing. */
  async ask(address: string): Promise<string> {
    const url = `http://${address}/`;
    const words = ['--silent', '--show-error', '--fail', '--max-time', '5', '--header', `Host: ${host}`, url];
    return (await this.network.exec(client.namespace, 'curl', ...words)).trim();
  }

  /** The next hops of the router towards a prefix and what is in it, each a line of `ip route`. */
  async routes(prefix: string): Promise<string> {
    return await this.network.ip(place.namespace, 'route', 'show', 'proto', 'bird', 'root', prefix);
  }

  async #addClient(): Promise<void> {
    const { network } = this;
    await network.addNamespace(client.namespace);
    await network.link(
      { namespace: client.namespace, device: 'eth0' },
      { namespace: place.namespace, device: 'clients' },
    );
    await network.ip(place.namespace, 'address', 'add', `${client.gateway}/24`, 'dev', 'clients');
    await network.batch(client.namespace, [
      `address add ${client.address}/24 dev eth0`,
      `route add default via ${client.gateway}`,
    ]);
  }

  /** Ends everything and removes its folder. Never rejects. */
  async stop(): Promise<void> {
    await this.#fleet?.remove().catch(() => undefined);
    await this.network.destroy();
    await rm(this.#options.folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
  }
}

function there<Value>(value: Value | undefined, otherwise: string): Value {
  if (value === undefined) throw new Error(`there is ${otherwise} yet`);
  return value;
}
