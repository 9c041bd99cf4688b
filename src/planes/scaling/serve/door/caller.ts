import { createHash, type X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { KubeClient } from '../../../../kube/api/client.ts';
import { isClientOf, subjectOf } from './certificates.ts';
import type { FrontProxy } from './front-proxy.ts';
import { Remembered } from './remembered.ts';

/** Who asks, as the cluster knows them. */
export interface Caller {
  readonly user: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** What comes with a request. */
export interface Credentials {
  readonly certificate: X509Certificate | undefined;
  /** Every value of each header, by its name in small letters. */
  readonly headers: NodeJS.Dict<string[]>;
  readonly authorization: IncomingHttpHeaders['authorization'];
}

export const everybody = 'system:authenticated';

/** Whom the certificate of a connection makes of who asks: the proxy speaks for others by headers, a client for itself. */
export function callerByCertificate(
  { certificate, headers }: Credentials,
  trusted: FrontProxy,
  nowMs: number,
): Caller | undefined {
  if (certificate === undefined) return undefined;
  const { name, organisations } = subjectOf(certificate);
  const isProxy =
    (trusted.names.length === 0 || trusted.names.includes(name)) && isClientOf(certificate, trusted.proxies, nowMs);
  const spokenFor = isProxy ? callerByHeaders(headers, trusted) : undefined;
  if (spokenFor !== undefined) return spokenFor;
  if (name === '' || !isClientOf(certificate, trusted.clients, nowMs)) return undefined;
  return { user: name, groups: withEverybody(organisations), extra: {} };
}

function callerByHeaders(
  headers: Credentials['headers'],
  { user, uid, groups, extra }: FrontProxy,
): Caller | undefined {
  const first = (names: readonly string[]): string | undefined =>
    names.flatMap((name) => valuesOf(headers, name)).find((value) => value !== '');
  const name = first(user);
  if (name === undefined) return undefined;
  const id = first(uid);
  const more = Object.keys(headers).flatMap((header) => {
    const prefix = extra.find((one) => header.startsWith(one));
    return prefix === undefined ? [] : [[decoded(header.slice(prefix.length)), valuesOf(headers, header)] as const];
  });
  return {
    user: name,
    ...(id === undefined ? {} : { uid: id }),
    groups: withEverybody(groups.flatMap((header) => valuesOf(headers, header))),
    extra: Object.fromEntries(more),
  };
}

/** The proxy sends UTF-8, which Node reads as Latin-1. */
function valuesOf(headers: Credentials['headers'], name: string): readonly string[] {
  return (headers[name] ?? []).map((value) => Buffer.from(value, 'latin1').toString('utf8'));
}

/** The proxy leaves it out when it asks for itself. */
function withEverybody(groups: readonly string[]): readonly string[] {
  return groups.includes(everybody) ? groups : [...groups, everybody];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const Review = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    user: z
      .object({
        username: z.string().default(''),
        uid: z.string().optional(),
        groups: z.array(z.string()).default([]),
        extra: z.record(z.string(), z.array(z.string())).default({}),
      })
      .prefault({}),
  }),
});

/** For so long the answer of a cluster is believed. */
const believedMs = 10_000;
const patienceMs = 10_000;

/** Asks the cluster whose a bearer token is. */
export class TokenReviews {
  readonly #client: Pick<KubeClient, 'request'>;
  readonly #known: Remembered<Caller | undefined>;

  /** `nowMs` never goes back. */
  constructor(client: Pick<KubeClient, 'request'>, nowMs: () => number) {
    this.#client = client;
    this.#known = new Remembered(believedMs, nowMs);
  }

  /** Undefined for a token of nobody. Rejects with an ApiError where the cluster does not answer. */
  callerOf(authorization: string | undefined): Promise<Caller | undefined> {
    const [, token] = /^bearer +([^ ]+) *$/i.exec(authorization ?? '') ?? [];
    if (token === undefined) return Promise.resolve(undefined);
    return this.#known.get(createHash('sha256').update(token).digest('base64'), () => this.#review(token));
  }

  async #review(token: string): Promise<Caller | undefined> {
    const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' };
    const path = '/apis/authentication.k8s.io/v1/tokenreviews';
    const body = { ...kind, spec: { token } };
    const answer = await this.#client.request({ method: 'POST', path, body, timeoutMs: patienceMs });
    const { authenticated, user } = Review.parse(answer).status;
    if (!authenticated || user.username === '') return undefined;
    const { username, uid, groups, extra } = user;
    return { user: username, ...(uid === undefined ? {} : { uid }), groups: withEverybody(groups), extra };
  }
}
