import { request } from 'node:https';
import { z } from 'zod';
import type { KubeClient } from '../../../kube/api/client.ts';
import { metricsApiService, systemNamespace } from '../../../model/contract.ts';
import { messageOf } from '../../../model/values.ts';
import { type Clock, sleep, type Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';

export interface EndpointsOptions {
  readonly client: Pick<KubeClient, 'request'>;
  /** Where the aggregator reaches this server. */
  readonly address: string;
  readonly port: number;
  /** Where KEDA reaches it besides; absent where it does not. */
  readonly kedaPort?: number;
  /** The name of this server, of which its EndpointSlice has its own. */
  readonly server: string;
  /** Whether it can answer. */
  readonly isReady: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

const Slices = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      ports: z.array(z.object({ name: z.string().default(''), port: z.number() })).default([]),
      endpoints: z
        .array(
          z.object({
            addresses: z.array(z.string()),
            conditions: z.object({ ready: z.boolean().default(true) }).prefault({}),
          }),
        )
        .default([]),
    }),
  ),
});

interface Endpoint {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly kedaPort?: number | undefined;
  readonly ready: boolean;
}

const fieldManager = 'tideline-scaling';
const label = 'kubernetes.io/service-name';
const path = `/apis/discovery.k8s.io/v1/namespaces/${systemNamespace}/endpointslices`;
const everyMs = 2000;
const patienceMs = 2000;
/** So often in a row another server must be silent before it is taken out. */
const silences = 2;
/** A server that ends is not asked any more so long after it said so. */
const farewellMs = 2000;

/**
 * Tells the aggregator which servers it may ask: each has an EndpointSlice of its own, which it takes back before it ends. Who is killed cannot; the
 * others notice and do it, as long as one is left.
 */
export class Endpoints {
  readonly #options: EndpointsOptions;
  readonly #silent = new Map<string, number>();
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;
  #problem: string | undefined;

  constructor(options: EndpointsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#round = this.#look().then(() => {
      if (!this.#stopped) this.#timer = this.#options.clock.setTimeout(() => this.start(), everyMs);
    });
  }

  /** Why the aggregator may not know of this server. */
  problem(): string | undefined {
    return this.#problem;
  }

  /** Takes this server out and waits until nobody asks it any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#round;
    const { clock, log } = this.#options;
    const begun = clock.monotonic();
    try {
      await this.#write(this.#own(false));
      await sleep(clock, Math.max(0, farewellMs - (clock.monotonic() - begun)));
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'this server could not be taken out of its Service');
    }
  }

  async #look(): Promise<void> {
    const { isReady, log } = this.#options;
    try {
      const known = await this.#read();
      const own = known.find(({ name }) => name === this.#own(true).name);
      const ready = isReady();
      const wanted = this.#own(ready);
      if (own === undefined || !isSame(own, wanted)) await this.#write(wanted);
      await this.#judge(known.filter((one) => one.name !== wanted.name && this.#isPeer(one)));
      this.#problem = undefined;
    } catch (error) {
      const problem = `the EndpointSlices of ${metricsApiService} cannot be kept: ${messageOf(error)}`;
      if (problem !== this.#problem) log.warn({ problem }, 'the aggregator may not know of this server');
      this.#problem = problem;
    }
  }

  async #read(): Promise<readonly Endpoint[]> {
    const { client } = this.#options;
    const query = { labelSelector: `${label}=${metricsApiService}` };
    const { items } = Slices.parse(await client.request({ path, query, timeoutMs: patienceMs }));
    return items.flatMap(({ metadata: { name }, ports, endpoints: [one] }) => {
      const portOf = (wanted: string): number | undefined => ports.find((port) => port.name === wanted)?.port;
      const [address, port] = [one?.addresses[0], portOf('https')];
      return one === undefined || address === undefined || port === undefined
        ? []
        : [{ name, address, port, kedaPort: portOf('keda'), ready: one.conditions.ready }];
    });
  }

  /** Whether it is a slice that another server like this one keeps: nothing else is asked, and nothing else is written. */
  #isPeer({ name, port }: Endpoint): boolean {
    return name.startsWith(`${metricsApiService}-`) && port === this.#options.port;
  }

  /** Takes out who did not answer several times in a row. */
  async #judge(others: readonly Endpoint[]): Promise<void> {
    const asked = others.filter(({ ready }) => ready);
    const answers = await Promise.all(asked.map(async (one) => ({ one, isAlive: await isAnswering(one) })));
    for (const { one, isAlive } of answers) {
      const count = isAlive ? 0 : (this.#silent.get(one.name) ?? 0) + 1;
      this.#silent.set(one.name, count);
      if (count < silences) continue;
      this.#options.log.warn({ server: one.address }, 'another server of the metrics APIs is silent; it is taken out');
      await this.#write({ ...one, ready: false });
    }
  }

  #own(ready: boolean): Endpoint {
    const { server, address, port, kedaPort } = this.#options;
    return {
      name: `${metricsApiService}-${server.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-')}`,
      address,
      port,
      kedaPort,
      ready,
    };
  }

  async #write({ name, address, port, kedaPort, ready }: Endpoint): Promise<void> {
    await this.#options.client.request({
      method: 'PATCH',
      path: `${path}/${name}`,
      query: { fieldManager, force: true },
      contentType: 'application/apply-patch+yaml',
      body: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name, namespace: systemNamespace, labels: { [label]: metricsApiService } },
        addressType: address.includes(':') ? 'IPv6' : 'IPv4',
        ports: [
          { name: 'https', port, protocol: 'TCP' },
          ...(kedaPort === undefined ? [] : [{ name: 'keda', port: kedaPort, protocol: 'TCP' }]),
        ],
        endpoints: [{ addresses: [address], conditions: { ready } }],
      },
      timeoutMs: patienceMs,
    });
  }
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.ready === b.ready && a.address === b.address && a.port === b.port && a.kedaPort === b.kedaPort;
}

/** Whether somebody answers there at all; who it is, the aggregator judges. */
function isAnswering({ address, port }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    // Of the whole answer, however slowly somebody sends it.
    const signal = AbortSignal.timeout(patienceMs);
    const options = { host: address, port, path: '/livez', rejectUnauthorized: false, agent: false as const, signal };
    const asked = request(options, (answer) => {
      answer.resume();
      resolve(true);
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });
}
