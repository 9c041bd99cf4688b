import { createConnection, type Socket } from 'node:net';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { lineSplitter } from '../lines.ts';
import { type AgentMessage, encodeMessage, parseRelayMessage, type RelayMessage } from '../wire.ts';

export interface ConnectionOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly onMessage: (message: RelayMessage) => void;
  readonly onClose: () => void;
}

const retry = { firstMs: 100, ceilingMs: 1000 };

/** An agent that was replaced has no reason to hurry: it waits as after this many failures, which is the longest pause. */
const failuresWhenReplaced = 10;

/** The agent's end of the relay's socket. When the connection ends it is made again, for ever, with a growing pause. */
export class RelayConnection {
  readonly #options: ConnectionOptions;
  #socket: Socket | undefined;
  #timer: Timer | undefined;
  #failures = 0;
  #stopped = true;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopped = false;
    this.#connect();
  }

  /** Returns false when there is no connection; the caller sends the whole state again on the next one anyway. */
  send(message: AgentMessage): boolean {
    if (this.#socket?.writable !== true) return false;
    this.#socket.write(encodeMessage(message));
    return true;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.end();
      // The last message leaves with `end`; a relay that does not close its side is not waited for.
      this.#timer = this.#options.clock.setTimeout(() => socket.destroy(), 500);
    });
    this.#timer?.cancel();
  }

  #connect(): void {
    const socket = createConnection(this.#options.path);
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on(
      'data',
      lineSplitter({
        maxLength: 16 << 20,
        onOverlong: () => socket.destroy(),
        onLine: (line) => {
          const message = parseRelayMessage(line);
          if (message === undefined || this.#stopped) return;
          this.#failures = message.type === 'replaced' ? failuresWhenReplaced : 0;
          this.#options.onMessage(message);
        },
      }),
    );
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      if (this.#stopped) return;
      this.#options.onClose();
      this.#failures += 1;
      this.#timer = this.#options.clock.setTimeout(() => this.#connect(), backoffMs(this.#failures, retry));
    });
  }
}
