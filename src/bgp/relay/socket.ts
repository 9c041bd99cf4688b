import { chmodSync, renameSync, rmSync } from 'node:fs';
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
 * go. Whoever only connects, asks for a read-back, renews a lease that is not its own or talks garbage changes nothing.
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
  listen(server, options.path, options.onProblem);
  return {
    publish: (message) => {
      for (const socket of connections) send(socket, message);
    },
    close: () => {
      for (const socket of connections) socket.destroy();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

/** Bound under another name and renamed, so that the path always leads to a live socket; a stale file is replaced. */
function listen(server: ReturnType<typeof createServer>, path: string, onProblem: (message: string) => void): void {
  const temporary = `${path}.new`;
  const retry = (error: Error): void => {
    onProblem(`cannot listen on ${path}: ${error.message}`);
    setTimeout(() => listen(server, path, onProblem), 1000);
  };
  const mask = process.umask(0o177);
  try {
    rmSync(temporary, { force: true });
    server.once('error', retry);
    server.listen(temporary, () => {
      try {
        chmodSync(temporary, 0o600);
        renameSync(temporary, path);
        server.off('error', retry);
        server.on('error', (error) => onProblem(error.message));
      } catch (error) {
        server.close();
        server.off('error', retry);
        retry(error instanceof Error ? error : new Error(String(error)));
      }
    });
  } catch (error) {
    retry(error instanceof Error ? error : new Error(String(error)));
  } finally {
    process.umask(mask);
  }
}
