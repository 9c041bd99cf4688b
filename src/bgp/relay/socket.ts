import { chmodSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { lineSplitter } from '../lines.ts';
import { type AgentMessage, encodeMessage, parseAgentMessage, type RelayMessage } from '../wire.ts';

export interface AgentSocketOptions {
  readonly path: string;
  /** What a new connection is told at once. */
  readonly greeting: () => readonly RelayMessage[];
  readonly onMessage: (message: AgentMessage) => void;
  /** Somebody has taken charge, or whoever was in charge is gone. */
  readonly onAgent: (present: boolean) => void;
  readonly onProblem: (message: string) => void;
}

export interface AgentSocket {
  /** To every connection that reads; one that lets megabytes pile up is closed. */
  publish(message: RelayMessage): void;
  /** Ends every connection; the relay itself never does. */
  close(): Promise<void>;
}

/** 10,000 routes are about 1.5 MB. */
const maxMessageLength = 16 << 20;
const maxUnreadBytes = 32 << 20;

/**
 * The agent's door, mode 0600. A connection becomes the agent with its first `desired`; the one before is told and let
 * go. Whoever only connects, asks for a read-back, renews a lease that is not its own or talks garbage changes nothing; who
 * says `starting` gets a little time.
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
        if (message.type !== 'renew' || agent === socket) options.onMessage(message);
      },
    });
    socket.on('data', (chunk: string) => {
      // The last words of an agent that was replaced must not take the place back.
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

const lookMs = 1000;

/**
 * Listens on a path, and again when the path does not lead here any more: a folder that was cleaned up, a second relay
 * started by hand. Without that an agent that restarts would never be heard again. Returns what ends it.
 */
function keepListening(
  server: ReturnType<typeof createServer>,
  path: string,
  onProblem: (message: string) => void,
): () => void {
  let inode: number | undefined;
  let problem = '';
  const look = (): void => {
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
  look();
  const timer = setInterval(look, lookMs);
  return () => clearInterval(timer);
}

/** Under another name and renamed, so that the path always leads to a live socket; a stale file is replaced. Tells the inode. */
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
