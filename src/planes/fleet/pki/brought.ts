import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../../model/problem.ts';
import { compareText } from '../../../model/values.ts';
import type { ServerDocument } from '../compile/document.ts';
import { readDocuments } from '../folder.ts';
import { readApplied } from '../run/applied.ts';
import { readServers } from './folder.ts';
import type { AuthorityReason } from './reasons.ts';
import type { OpenAuthority, Pems } from './sign.ts';

/** What the servers of the folder of documents are to have, and what runs brought them. */
export interface Brought {
  readonly written: ReadonlyMap<string, ServerDocument>;
  readonly applied: ReadonlyMap<string, ServerDocument>;
  /** The secrets that servers got: those that were written before the last document of the server was brought to it. */
  readonly secrets: ReadonlyMap<string, Pems>;
}

/** Documents name secrets and do not have them, so of a secret only the times of the files tell whether a run came after it. */
export async function readBrought(folder: string): Promise<Brought> {
  const [written, applied] = [await readDocuments(folder), await readApplied(folder)];
  const secrets = new Map<string, Pems>();
  for (const [server, pems] of await readServers(join(folder, 'secrets'))) {
    const [made, got] = await Promise.all(['secrets', 'applied'].map((part) => timeOf(join(folder, part, server))));
    if (made !== undefined && got !== undefined && got >= made) secrets.set(server, pems);
  }
  return { written, applied, secrets };
}

/** Throws InputError (`RotationEarly`) unless each server with this authority trusts what SAFE has, and has certificates of whoever signs now. */
export function checkAuthorityBrought(name: string, authority: OpenAuthority, brought: Brought): void {
  const concerned = serversWith(brought, ({ pki }) =>
    Object.values(pki.authorities).some((one) => one.authority === name),
  );
  const has = (server: string): boolean => {
    const pki = brought.applied.get(server)?.pki;
    if (pki === undefined) return false;
    const trusts = Object.values(pki.authorities).filter((one) => one.authority === name);
    const signed = Object.values(pki.certificates).filter((one) => one.authority === name);
    return (
      trusts.every(({ pem }) => pem === authority.trusted) && signed.every(({ pem }) => isSignedBy(pem, authority))
    );
  };
  refuseUnless(name, concerned, has);
}

/** Throws InputError (`RotationEarly`) unless each server that needs any of these secrets got the texts that SAFE has. */
export function checkSecretsBrought(name: string, texts: Pems, brought: Brought): void {
  const needed = ({ pki }: ServerDocument): readonly string[] =>
    Object.values(pki.secrets)
      .map(({ secret }) => secret)
      .filter((secret) => texts[secret] !== undefined);
  const concerned = serversWith(brought, (document) => needed(document).length > 0);
  const has = (server: string): boolean => {
    const document = brought.applied.get(server);
    return (
      document !== undefined &&
      needed(document).every((secret) => brought.secrets.get(server)?.[secret] === texts[secret])
    );
  };
  refuseUnless(name, concerned, has);
}

function serversWith({ written, applied }: Brought, test: (document: ServerDocument) => boolean): readonly string[] {
  const named = [...written, ...applied].filter(([, document]) => test(document)).map(([server]) => server);
  return [...new Set(named)].toSorted(compareText);
}

function isSignedBy(pem: string | undefined, { issuer }: OpenAuthority): boolean {
  try {
    return pem !== undefined && new X509Certificate(pem).verify(issuer.publicKey);
  } catch {
    return false;
  }
}

const most = 5;

function refuseUnless(name: string, concerned: readonly string[], has: (server: string) => boolean): void {
  const lacking = concerned.filter((server) => !has(server));
  if (concerned.length > 0 && lacking.length === 0) return;
  const reason: AuthorityReason = 'RotationEarly';
  const rest = lacking.length - most;
  const some = `${lacking.slice(0, most).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  const message =
    concerned.length === 0
      ? `the folder of documents has no server with ${name}`
      : `${some} did not get the present phase of ${name} by a run`;
  const fix =
    'sign, and bring it to every server by `tideline fleet apply --all`; where other means than runs of this folder bring documents to servers, make sure of it and add --servers-have-it';
  throw new InputError([{ reason, message, fix }]);
}

async function timeOf(place: string): Promise<number | undefined> {
  return stat(`${place}.json`).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}
