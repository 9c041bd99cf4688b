import { chmodSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { lineSplitter } from '../lines.ts';
import { type AgentMessage, encodeMessage, parseAgentMessage, type RelayMessage } from '../wire.ts';

export interface AgentSocketOptions {
  readonly path: string;
  /** The messages that a new connection gets at once. */
  readonly greeting: () => readonly RelayMessage[];
  /** `ofAgent`: the message is of the connection in charge. */
  readonly onMessage: (message: AgentMessage, ofAgent: boolean) => void;
  /** Called when a connection has taken charge (true), or the one in charge is gone (false). */
  readonly onAgent: (present: boolean) => void;
  readonly onProblem: (message: string) => void;
}

export interface AgentSocket {
  /** Sends to every connection; one that lets megabytes pile up unread is closed. */
  publish(message: RelayMessage): void;
  /** Ends every connection and stops listening; the relay itself never does this. */
  close(): Promise<void>;
}

/** Room for far more than 10,000 routes, which are about 1.5 MB. */
const maxMessageLength = 16 << 20;
const maxUnreadBytes = 32 << 20;

/**
 * Opens the socket that agents connect to, mode 0600. A connection becomes the agent with its first `desired`; the agent
 * before it is sent `replaced` and disconnected. A connection that only listens, asks for a read-back, renews a lease that is
 * not its own or sends garbage changes nothing; one that sends `starting` makes the lease a little longer.
 */
export function openAgentSocket(options: AgentSocketOptions): AgentSocket {
  const connections = new Set<Socket>();
  let agent: Socket | undefined;
  const send = (socket: Socket, message: RelayMessage): void => {
    if (socket.writableLength > maxUnreadBytes) socket.destroy();
    else if (socket.writable) socket.write(encodeMessage(message));
  };
  const refuse = (socket: Socket, message: string): void => {
    send(socket, { type: 'refused', reason: 'BadMessage', message });
    options.onProblem(`BadMessage: ${message}`);
  };
  const takeCharge = (socket: Socket): void => {
    const before = agent;
    if (before === socket) return;
    agent = socket;
    if (before === undefined) return options.onAgent(true);
    send(before, { type: 'replaced' });
    before.end();
  };
  const server = createServer((socket) => {
    connections.add(socket);
    socket.setEncoding('utf8');
    const split = lineSplitter({
      maxLength: maxMessageLength,
      onOverlong: () => refuse(socket, `a line is longer than ${maxMessageLength} characters`),
      onLine: (line) => {
        const message = parseAgentMessage(line);
        if (message === undefined) return refuse(socket, `not a message: ${JSON.stringify(line.slice(0, 80))}`);
        if (message.type === 'desired') takeCharge(socket);
        if (message.type !== 'renew' || agent === socket) options.onMessage(message, agent === socket);
      },
    });
    socket.on('data', (chunk: string) => {
      // What an agent that was replaced still sends must not put it in charge again.
      if (!socket.writableEnded) split(chunk);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      connections.delete(socket);
      if (agent !== socket) return;
      agent = undefined;
      options.onAgent(false);
    });
    for (const message of options.greeting()) send(socket, message);
  });
  const stopListening = keepListening(server, options.path, options.onProblem);
  return {
    publish: (message) => {
      for (const socket of connections) send(socket, message);
    },
    close: () => {
      stopListening();
      for (const socket of connections) socket.destroy();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

const checkEveryMs = 1000;

/**
 * Listens on a path, and listens anew when the path no longer leads to this socket: the folder was cleaned up, or a second
 * relay was started by hand. Without that an agent that restarts could never connect again. Returns the function that ends it.
 */
function keepListening(
  server: ReturnType<typeof createServer>,
  path: string,
  onProblem: (message: string) => void,
): () => void {
  let inode: number | undefined;
  let problem = '';
  const ensureListening = (): void => {
    if (inode !== undefined && inode === statSync(path, { throwIfNoEntry: false })?.ino) return;
    if (inode !== undefined) onProblem(`${path} was removed or replaced; listening anew`);
    inode = undefined;
    if (server.listening) server.close();
    bind(server, path, (outcome) => {
      if (typeof outcome === 'number') inode = outcome;
      else if (outcome.message !== problem) onProblem(`cannot listen on ${path}: ${outcome.message}`);
      problem = typeof outcome === 'number' ? '' : outcome.message;
    });
  };
  ensureListening();
  const timer = setInterval(ensureListening, checkEveryMs);
  return () => clearInterval(timer);
}

/**
 * Listens under another name and renames it, so that the path always leads to a live socket; a stale file is replaced. Hands
 * the inode of the socket to `done`.
 */
function bind(server: ReturnType<typeof createServer>, path: string, done: (outcome: number | Error) => void): void {
  const temporary = `${path}.new`;
  const failed = (error: unknown): void => done(error instanceof Error ? error : new Error(String(error)));
  server.removeAllListeners('error').once('error', failed);
  const mask = process.umask(0o177);
  try {
    rmSync(temporary, { force: true });
    server.removeAllListeners('listening').listen(temporary, () => {
      try {
        chmodSync(temporary, 0o600);
        renameSync(temporary, path);
        done(statSync(path).ino);
      } catch (error) {
        failed(error);
      }
    });
  } catch (error) {
    failed(error);
  } finally {
    process.umask(mask);
  }
}
