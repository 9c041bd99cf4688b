import type { Client } from '../world/topology.ts';

/** The settings of a client process: its one argument, as JSON. */
export interface ClientsConfig {
  readonly clients: readonly Client[];
  readonly nameServers: { readonly route53: string; readonly powerdns: string };
  readonly host: string;
  /** PEM file of the only certificate the clients trust. */
  readonly trust: string;
  readonly requestsPerSecond: number;
  readonly timeoutMs: number;
}

/** One finished request, as a line of JSON on standard output. */
export interface Outcome {
  readonly country: string;
  readonly resolver: 'route53' | 'powerdns';
  readonly protocol: 'http' | 'https';
  /** When the request started, ms since the epoch. */
  readonly startedAtMs: number;
  readonly tookMs: number;
  /** The address that DNS answered with; absent when DNS did not answer. */
  readonly address?: string;
  /** Why the request failed: `Timeout`, `Status503`, `DnsTimeout`, `ECONNREFUSED`, ...; absent on success. */
  readonly failure?: string;
  /** True when the request was sent again once, because its connection was closed before any byte of the answer (RFC 9110, 9.2.2). */
  readonly retried: boolean;
  readonly pod?: string;
  readonly node?: string;
  readonly cluster?: string;
}
