import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { renderRouter } from '../../../lab/daemons/birdconfig.ts';
import { Network } from '../../../lab/net/network.ts';
import { type Bird, startBird } from '../daemons/bird.ts';
import { watchRoutes } from '../daemons/route-monitor.ts';
import { eventually, type Look } from '../eventually.ts';
import { Machine } from './machine.ts';

const repository = resolve(import.meta.dirname, '../../..');
const router = '10.1.0.1';

/** A top-of-rack router (BIRD) of site paris, namespace `tor`, and servers beside it, each a Machine with a systemd. */
export class Rack {
  readonly network = new Network();
  readonly #addresses: Readonly<Record<string, string>>;
  readonly #machines: Machine[] = [];
  #folder = '';
  #bird: Bird | undefined;

  /** `addresses` maps the short name of each server to its address in 10.1.0.0/24. */
  constructor(addresses: Readonly<Record<string, string>>) {
    this.#addresses = addresses;
  }

  async start(): Promise<void> {
    const { network } = this;
    this.#folder = await mkdtemp(join(tmpdir(), 'rack-'));
    await network.addNamespace('tor');
    for (const [name, address] of Object.entries(this.#addresses)) {
      await network.addNamespace(name);
      await network.link({ namespace: name, device: 'eth0' }, { namespace: 'tor', device: name });
      await network.ip(name, 'addr', 'add', address, 'peer', `${router}/32`, 'dev', 'eth0');
      await network.ip(name, 'route', 'add', 'default', 'via', router, 'src', address);
      await network.ip('tor', 'addr', 'add', router, 'peer', `${address}/32`, 'dev', name);
    }
    const accept = ['10.10.0.0/16', '10.1.0.0/24', '192.0.2.0/28'].map((prefix) => ({ prefix }));
    this.#bird = await startBird({
      network,
      namespace: 'tor',
      directory: this.#folder,
      config: renderRouter({
        routerId: router,
        asn: 65_010,
        neighbors: Object.entries(this.#addresses).map(([name, address]) => ({
          name,
          localAddress: router,
          address,
          asn: 65_011,
          accept,
          announce: 'nothing' as const,
        })),
      }),
    });
  }

  async boot(name: string): Promise<Machine> {
    const machine = await Machine.boot(this.network, name);
    this.#machines.push(machine);
    return machine;
  }

  /** True when the session with this server is up. */
  async established(name: string): Promise<boolean> {
    return (await this.#bird?.established(name)) ?? false;
  }

  /** The routes that BGP put into the router's kernel table. */
  async routes(): Promise<readonly string[]> {
    const text = await this.network.ip('tor', '-j', 'route', 'show', 'proto', 'bird');
    const routes = JSON.parse(text.trim() === '' ? '[]' : text) as readonly { readonly dst: string }[];
    return routes.map(({ dst }) => dst).toSorted();
  }

  /** Starts to record the routes that leave the router's kernel table, and returns a function that gives them. */
  async watchWithdrawals(): Promise<() => Promise<readonly string[]>> {
    const seen = await watchRoutes(this.network, 'tor');
    return async () =>
      (await seen()).map(({ text }) => text).filter((line) => line.startsWith('Deleted') && line.includes('bird'));
  }

  /** Sends a GET from the router; rejects unless the answer is 200. */
  async get(address: string, port: number, path: string): Promise<string> {
    const host = port === 80 ? 'www.video.example' : address;
    const script = `exec 3<>/dev/tcp/${address}/${port}; printf 'GET ${path} HTTP/1.0\\r\\nHost: ${host}\\r\\n\\r\\n' >&3; cat <&3`;
    const answer = await this.network.exec('tor', 'timeout', '5', 'bash', '--norc', '-c', script);
    if (!/^HTTP\/1\.\d 200 /.test(answer)) throw new Error(`${address}:${port}${path}: ${answer.slice(0, 300)}`);
    return answer.slice(answer.indexOf('\r\n\r\n') + 4);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#machines.map((machine) => machine.stop()));
    await this.#bird?.stop();
    await this.network.destroy();
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The shell blocks under a heading of docs/operations, as one script. */
export async function commandsOf(document: string, heading: string): Promise<string> {
  const text = await readFile(join(repository, 'docs/operations', document), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  const blocks = [...(section ?? '').matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  if (blocks.length === 0) throw new Error(`${document} has no commands under "${heading}"`);
  return blocks.join('');
}

/**
 * The same as `eventually`, with the patience that a booting machine needs; each look starts processes. The error has the text
 * of `show`.
 */
export async function until(
  what: string,
  look: Look<true>,
  show: () => Promise<string> = async () => '',
  timeoutMs = 150_000,
): Promise<void> {
  await eventually(what, look, { timeoutMs, everyMs: 250, show });
}
