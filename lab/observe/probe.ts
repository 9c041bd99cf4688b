import { join } from 'node:path';
import { messageOf } from '../../src/model/values.ts';
import type { RequestOptions } from '../clients/request.ts';
import type { PodAnswer } from '../world/webserver.ts';
import type { ViewPort } from './port.ts';

/** The result of one request from a namespace of the world. */
export type ProbeResult =
  | { readonly ok: true; readonly status: number; readonly pod?: PodAnswer }
  | { readonly ok: false; readonly reason: string };

/** The parts of the lab that are needed to send a request as a client. */
type ProbePort = Pick<ViewPort, 'world' | 'network' | 'node'>;

/** Sends one GET from an address of a namespace, by a process of its own in that namespace. Never rejects. */
export async function requestFrom(lab: ProbePort, namespace: string, options: RequestOptions): Promise<ProbeResult> {
  const script = join(import.meta.dirname, '..', 'clients', 'once.ts');
  try {
    return JSON.parse(await lab.network.exec(namespace, lab.node, script, JSON.stringify(options))) as ProbeResult;
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}

/** Sends a request from a client of `country` to a pod's own address, without VIP and DNS. */
export function directPodRequest(
  lab: ProbePort,
  country: string,
  pod: { readonly address: string },
): Promise<ProbeResult> {
  const { namespace, address } = clientOf(lab, country);
  return requestFrom(lab, namespace, {
    protocol: 'http',
    address: pod.address,
    port: 8080,
    host: 'direct',
    source: address,
    path: '/',
    timeoutMs: 2000,
  });
}

/** The namespace and source address of a country's first client. */
export function clientOf(
  lab: Pick<ViewPort, 'world'>,
  country: string,
): { readonly namespace: string; readonly address: string } {
  for (const { name, clients } of lab.world.users) {
    const client = clients.find((candidate) => candidate.country === country);
    if (client !== undefined) return { namespace: name, address: client.address };
  }
  throw new Error(`the lab has no client in ${country}`);
}
