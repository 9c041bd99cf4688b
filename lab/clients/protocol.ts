import type { Client } from '../world/topology.ts';

/** What a client process is told, as its one argument (JSON). */
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
  /** ms since the epoch. */
  readonly startedAtMs: number;
  readonly tookMs: number;
  /** Where DNS sent it; absent when it did not answer. */
  readonly address?: string;
  /** Absent on success: `Timeout`, `Status503`, `DnsTimeout`, `ECONNREFUSED`, ... */
  readonly failure?: string;
  /** Sent again once, because the connection was closed before any byte of the answer (RFC 9110, 9.2.2). */
  readonly retried: boolean;
  readonly pod?: string;
  readonly node?: string;
  readonly cluster?: string;
}
