import { X509Certificate } from 'node:crypto';
import { compareText } from '../../model/values.ts';
import type { ServerDocument } from './compile/document.ts';
import type { Pems } from './pki/sign.ts';

/** One reason why an apply would be refused now, or would do harm. */
export interface Standing {
  /** In words; what is alike has the same words. */
  readonly problem: string;
  /** Servers that it is about; none where it is about the folder or the platform. */
  readonly servers: readonly string[];
  readonly fix: string;
}

export interface DocumentsInput {
  readonly documents: ReadonlyMap<string, ServerDocument>;
  /** Secrets that are written for each server; their names count, what they are does not. */
  readonly secrets: ReadonlyMap<string, Pems>;
  readonly nowMs: number;
}

const dayMs = 86_400_000;
/** A certificate that ends sooner, or before so much of its life, was forgotten. */
const soon = { ms: 30 * dayMs, part: 1 / 3 };
/** What an authority signs lasts a year: one with less left would end before it. */
const authorityMs = 365 * dayMs;
const byHand = 'tideline fleet sign, then compile; or --authorities and --passphrase-file at the apply';

/** What stands against documents as they are: certificates, authorities and secrets that are missing or end. */
export function standingIn({ documents, secrets, nowMs }: DocumentsInput): readonly Standing[] {
  const found = new Map<string, { readonly servers: Set<string>; readonly fix: string }>();
  const add = (server: string, problem: string, fix: string): void => {
    const alike = found.get(problem) ?? { servers: new Set(), fix };
    found.set(problem, { ...alike, servers: alike.servers.add(server) });
  };
  for (const [server, { pki }] of documents) {
    for (const { authority, pem } of Object.values(pki.authorities)) {
      const life = pem === undefined ? undefined : lifeOf(pem, nowMs, () => authorityMs);
      if (pem === undefined) add(server, `there is no authority ${authority}`, byHand);
      else if (life !== undefined)
        add(server, `the authority ${authority} ${life}`, 'tideline fleet rotate, which changes it in three phases');
    }
    for (const { pem } of Object.values(pki.certificates)) {
      if (pem === undefined) add(server, 'certificates are not signed', byHand);
      else if (lifeOf(pem, nowMs, leastOfLeaf) !== undefined)
        add(server, 'certificates end soon, or cannot be read', byHand);
    }
    const kept = secrets.get(server) ?? {};
    for (const { secret } of Object.values(pki.secrets))
      if (kept[secret] === undefined)
        add(
          server,
          `the secret ${secret} is missing`,
          'tideline fleet sign, at the start of a cluster with --create-authorities',
        );
  }
  return [...found].map(([problem, { servers, fix }]) => ({
    problem,
    servers: [...servers].toSorted(compareText),
    fix,
  }));
}

function leastOfLeaf(wholeMs: number): number {
  return Math.max(soon.ms, wholeMs * soon.part);
}

/** Undefined while enough is left of it. Of several in one text the first counts, which signs. */
function lifeOf(pem: string, nowMs: number, least: (wholeMs: number) => number): string | undefined {
  try {
    const { validFromDate, validToDate } = new X509Certificate(pem);
    const [from, until] = [validFromDate.getTime(), validToDate.getTime()];
    if (until <= nowMs) return 'has ended';
    return until - nowMs < least(until - from) ? 'ends soon' : undefined;
  } catch {
    return 'cannot be read';
  }
}

const fileServer = 'salt://';

/** Paths on the file server of Salt that the documents of servers name, each with the servers. */
export function saltFilesOf(documents: ReadonlyMap<string, ServerDocument>): ReadonlyMap<string, readonly string[]> {
  const all = [...documents].flatMap(([server, { artifacts }]) =>
    Object.values(artifacts).flatMap(({ source }) =>
      source.startsWith(fileServer) ? [{ server, path: source.slice(fileServer.length) }] : [],
    ),
  );
  const byPath = Map.groupBy(all, ({ path }) => path);
  return new Map([...byPath].map(([path, some]) => [path, some.map(({ server }) => server)]));
}
