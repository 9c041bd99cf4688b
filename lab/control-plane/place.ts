import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Network, SpawnInNamespace } from '../net/network.ts';

/**
 * The network namespace in which a control plane runs: its processes start there, and connections are made from there. They
 * die with this process, also when it is killed.
 */
export interface Place {
  /** The apiserver's address. */
  readonly address: string;
  /** The address of the other components. */
  readonly innerAddress: string;
  spawn(command: string, args: readonly string[], options: SpawnInNamespace): ChildProcess;
  connect(host: string, port: number): Socket;
  close(): void;
}

const dieWithParent = ['--pdeathsig', 'KILL', '--'];

/** The network namespace of this process. Ports are fixed, so every control plane needs an address of its own (127.0.1.N). */
export function ownPlace(address: string): Place {
  return {
    address,
    innerAddress: address,
    spawn: (command, args, options) =>
      spawn('setpriv', [...dieWithParent, command, ...args], {
        stdio: options.stdio ?? 'ignore',
        env: { ...process.env, ...options.env },
      }),
    connect: (host, port) => connect({ host, port }),
    close: () => undefined,
  };
}

/** A namespace of a network. Connections are made through a proxy inside it (proxy/main.ts), so that no route to it is needed. */
export function namespacePlace(network: Network, namespace: string, address: string, folder: string): Place {
  const socket = join(folder, 'proxy');
  const program = join(import.meta.dirname, 'proxy', 'main.ts');
  const enter: Place['spawn'] = (command, args, options) =>
    network.spawn(namespace, 'setpriv', [...dieWithParent, command, ...args], options);
  let proxy: ChildProcess | undefined;
  return {
    address,
    innerAddress: '127.0.0.1',
    spawn: enter,
    connect(host, port) {
      proxy ??= enter(process.execPath, [program, socket], { stdio: ['ignore', 'ignore', 'inherit'] });
      const connection = connect({ path: socket });
      connection.write(`${host} ${port}\n`);
      return connection;
    },
    close: () => void proxy?.kill('SIGKILL'),
  };
}
