import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { messageOf } from '../../../model/values.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { BadTrigger, type ScaledObjectRef, type ScalerAsk, scalerAskOf, scalerValue } from './keda-asks.ts';
import { ExternalScaler } from './keda-service.ts';
import type { SeriesBook } from './series.ts';
import type { ServingFiles } from './serving-files.ts';

export interface KedaScalerOptions {
  readonly host: string;
  readonly port: number;
  readonly files: ServingFiles;
  /** The authority whose certificates may ask, in PEM. */
  readonly clients: string;
  readonly book: () => SeriesBook;
  readonly clock: Clock;
  readonly log: Log;
}

/** A stream says that it changed within that time. */
const streamMs = 2000;

/**
 * The same numbers as an external scaler of KEDA, for clusters where KEDA owns the external metrics API. What is not known now is an error, so that
 * KEDA does what the ScaledObject says of such a time; but a workload counts as active then, because it must not sleep for want of a number.
 */
export class KedaScaler {
  readonly #options: KedaScalerOptions;
  readonly #streams = new Set<Timer>();
  #server: Server | undefined;
  #port: number;
  #problem: string | undefined;
  #unfollow: () => void = () => {};

  constructor(options: KedaScalerOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  /** Listens. Rejects where it cannot. */
  async start(): Promise<void> {
    await this.#listen();
    // A server of gRPC has one certificate for its life.
    this.#unfollow = this.#options.files.onChange(() => {
      this.#end();
      this.#listen().catch((error: unknown) => {
        this.#problem = `the scaler of KEDA does not listen any more: ${messageOf(error)}`;
        this.#options.log.error({ problem: this.#problem }, 'KEDA gets no numbers');
      });
    });
  }

  /** The port on which it listens. */
  get port(): number {
    return this.#port;
  }

  /** Why KEDA gets no numbers. */
  problem(): string | undefined {
    return this.#problem;
  }

  stop(): void {
    this.#unfollow();
    this.#end();
  }

  #end(): void {
    for (const timer of this.#streams) timer.cancel();
    this.#streams.clear();
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  async #listen(): Promise<void> {
    const { host, files, clients } = this.#options;
    const { cert, key } = files.current();
    const server = new Server();
    server.addService(ExternalScaler.service, {
      IsActive: this.#answering<ScaledObjectRef>((ref) => ({ result: this.#isActive(scalerAskOf(ref)) })),
      StreamIsActive: (call: ServerWritableStream<ScaledObjectRef, object>) => this.#stream(call),
      GetMetricSpec: this.#answering<ScaledObjectRef>((ref) => ({ metricSpecs: [specOf(scalerAskOf(ref))] })),
      StreamMetricSpec: (call: ServerWritableStream<ScaledObjectRef, object>) => streamSpec(call),
      GetMetrics: this.#answering<{ readonly scaledObjectRef?: ScaledObjectRef }>(({ scaledObjectRef }) => {
        if (scaledObjectRef === undefined) throw new BadTrigger('scaledObjectRef: expected which object asks');
        return { metricValues: [this.#valueOf(scalerAskOf(scaledObjectRef))] };
      }),
    });
    const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
    const credentials = ServerCredentials.createSsl(Buffer.from(clients), [pair], true);
    this.#port = await new Promise<number>((resolve, reject) => {
      const at = `${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
      server.bindAsync(at, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
    });
    this.#problem = undefined;
    this.#server = server;
  }

  #answering<T>(answer: (request: T) => object) {
    return ({ request }: ServerUnaryCall<T, object>, done: sendUnaryData<object>): void => {
      try {
        done(null, answer(request));
      } catch (error) {
        done(failureOf(error));
      }
    };
  }

  #isActive(ask: ScalerAsk): boolean {
    return scalerValue(ask, this.#options.book()) !== 0;
  }

  #valueOf(ask: ScalerAsk): object {
    const value = scalerValue(ask, this.#options.book());
    if (value === undefined) throw new NotKnown(`nobody knows ${ask.metric} of ${ask.chosen.join(' ')} now`);
    return { metricName: ask.metric, metricValue: Math.ceil(value), metricValueFloat: value };
  }

  /** Says at once whether a workload is active, and whenever that changes. */
  #stream(call: ServerWritableStream<ScaledObjectRef, object>): void {
    let last: boolean | undefined;
    let timer: Timer | undefined;
    const look = (): void => {
      if (timer !== undefined) this.#streams.delete(timer);
      try {
        const result = this.#isActive(scalerAskOf(call.request));
        if (result !== last) call.write({ result });
        last = result;
      } catch (error) {
        call.destroy(Object.assign(new Error(messageOf(error)), failureOf(error)));
        return;
      }
      timer = this.#options.clock.setTimeout(look, streamMs);
      this.#streams.add(timer);
    };
    const end = (): void => {
      timer?.cancel();
      if (timer !== undefined) this.#streams.delete(timer);
    };
    call.once('cancelled', end);
    call.once('close', end);
    look();
  }
}

/** What a ScaledObject wants stands in its trigger, so it is said once; the stream stays open, as KEDA wants it. */
function streamSpec(call: ServerWritableStream<ScaledObjectRef, object>): void {
  try {
    call.write({ metricSpecs: [specOf(scalerAskOf(call.request))] });
  } catch (error) {
    call.destroy(Object.assign(new Error(messageOf(error)), failureOf(error)));
  }
}

class NotKnown extends Error {
  override readonly name = 'NotKnown';
}

function failureOf(error: unknown): { readonly code: status; readonly details: string } {
  const code =
    error instanceof BadTrigger
      ? status.INVALID_ARGUMENT
      : error instanceof NotKnown
        ? status.UNAVAILABLE
        : status.INTERNAL;
  return { code, details: messageOf(error) };
}

function specOf({ metric, target }: ScalerAsk): object {
  return { metricName: metric, targetSize: Math.max(1, Math.round(target)), targetSizeFloat: target };
}
