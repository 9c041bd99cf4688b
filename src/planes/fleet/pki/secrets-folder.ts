import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../../model/problem.ts';
import { compareText, messageOf } from '../../../model/values.ts';
import { readBounded } from '../../../runtime/bounded-file.ts';
import { replaceFile } from '../../../runtime/kept-file.ts';
import type { ServerDocument } from '../compile/document.ts';
import { type Brought, checkSecretsBrought } from './brought.ts';
import { pemsText, readServers } from './folder.ts';
import type { AuthorityReason } from './reasons.ts';
import type { Phase } from './rotation.ts';
import { seal, unseal } from './seal.ts';
import { type ClusterSecrets, changedSecrets, newSecrets, secretTexts } from './secrets.ts';
import type { Pems } from './sign.ts';

/**
 * The secrets of clusters as files: sealed in the folder of the authorities, `CLUSTER/secrets.sealed`, and open in `secrets/SERVER.json` of the
 * folder of documents, for the servers that need them and for nobody else. The pillar reads the second, no program of ours does more than compare it.
 */

const secretsFolder = 'secrets';
const mostBytes = 65_536;

export interface SecretsInput {
  /** The folder of the authorities. */
  readonly safe: string;
  readonly passphrase: string;
  /** The folder of documents. */
  readonly out: string;
  /** What each server is to be: it names the secrets that it needs. */
  readonly documents: ReadonlyMap<string, ServerDocument>;
  /** Make the secrets of clusters that have none. */
  readonly create: boolean;
  /** Without, nothing is written, and it is only told what would be. */
  readonly write: boolean;
}

/** Names of clusters and servers only: no result has a secret. */
export interface SecretsOutcome {
  readonly made: readonly string[];
  /** Clusters whose secrets stand in the folder of documents and not in the safe: somebody else made them, and they stay as they are. */
  readonly foreign: readonly string[];
  /** Clusters without any. */
  readonly absent: readonly string[];
  /** Servers whose file was, or would be, written or removed. */
  readonly changed: readonly string[];
}

/** Brings the secrets of all clusters to the servers that need them; a second call changes nothing. Throws InputError. */
export async function provideSecrets(input: SecretsInput): Promise<SecretsOutcome> {
  const present = await readSecrets(input.out);
  const clusters = [...new Set([...input.documents.values()].filter(needsAny).map(({ server }) => server.cluster))];
  const texts = new Map<string, Readonly<Record<string, string>>>();
  const outcome = { made: [] as string[], foreign: [] as string[], absent: [] as string[] };
  for (const cluster of clusters.toSorted(compareText)) {
    const kept = await openSecrets(input.safe, cluster, input.passphrase);
    if (kept !== undefined) texts.set(cluster, secretTexts(cluster, kept));
    else if ([...present.values()].some((names) => Object.keys(names).some((name) => isOf(name, cluster))))
      outcome.foreign.push(cluster);
    else if (!input.create) outcome.absent.push(cluster);
    else {
      const made = newSecrets();
      // The safe first: a server must not get what nobody keeps.
      if (input.write) await sealSecrets(input.safe, cluster, made, input.passphrase);
      texts.set(cluster, secretTexts(cluster, made));
      outcome.made.push(cluster);
    }
  }
  return { ...outcome, changed: await writeOpen(input, present, texts) };
}

/** What is written into a folder of documents for each server, by name. */
export function readSecrets(folder: string): Promise<ReadonlyMap<string, Pems>> {
  return readServers(join(folder, secretsFolder));
}

/** The secrets of a cluster, or undefined when the safe has none. Throws InputError for a file that cannot be used. */
async function openSecrets(safe: string, cluster: string, passphrase: string): Promise<ClusterSecrets | undefined> {
  const file = fileOf(safe, cluster);
  let sealed: string;
  try {
    sealed = (await readBounded(file, mostBytes)).toString();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fault(file, 'AuthorityUnreadable', messageOf(error), 'restore it from a backup');
  }
  const opened = unseal(sealed, passphrase);
  if (!('text' in opened))
    throw opened.reason === 'locked'
      ? fault(
          file,
          'AuthorityLocked',
          'the passphrase does not open it',
          'give the passphrase that it was made with, or restore it',
        )
      : fault(file, 'AuthorityUnreadable', 'it is no sealed file', 'restore it from a backup');
  const secrets: ClusterSecrets = JSON.parse(opened.text);
  if (secrets.format === 1) return secrets;
  throw fault(
    file,
    'AuthorityUnreadable',
    'another version of tideline wrote it',
    'use the version that wrote it, or a later one',
  );
}

/** The same as `changeAuthority` for a key: returns the names of the keys, of which the first is used. Throws InputError. */
export async function changeSecrets(
  safe: string,
  cluster: string,
  passphrase: string,
  change: {
    readonly of: 'encryption' | 'service-accounts';
    readonly phase: Phase;
    readonly write: boolean;
    readonly brought?: Brought;
  },
): Promise<readonly string[]> {
  const before = await openPresent(safe, cluster, passphrase);
  const after = await changedSecrets(before, change.of, change.phase);
  if (change.brought !== undefined && change.phase !== 'introduce' && after !== before) {
    const own = Object.entries(secretTexts(cluster, before)).filter(([name]) =>
      name.startsWith(`${cluster}/${change.of}`),
    );
    checkSecretsBrought(`${cluster}/${change.of}`, Object.fromEntries(own), change.brought);
  }
  if (change.write) await sealSecrets(safe, cluster, after, passphrase);
  return (change.of === 'encryption' ? after.encryption : after.serviceAccounts).map(({ name }) => name);
}

/** Removes the keys of encryption that no server has any more, for good: returns their names. What only they open is lost. Throws InputError. */
export async function forgetRetired(
  safe: string,
  cluster: string,
  { passphrase, write }: { readonly passphrase: string; readonly write: boolean },
): Promise<readonly string[]> {
  const { retired = [], ...others } = await openPresent(safe, cluster, passphrase);
  if (write && retired.length > 0) await sealSecrets(safe, cluster, others, passphrase);
  return retired.map(({ name }) => name);
}

async function openPresent(safe: string, cluster: string, passphrase: string): Promise<ClusterSecrets> {
  const fix = 'make them by `tideline fleet sign --create-authorities`';
  const secrets = await openSecrets(safe, cluster, passphrase);
  if (secrets !== undefined) return secrets;
  throw fault(fileOf(safe, cluster), 'AuthorityUnreadable', `there are no secrets of ${cluster} here`, fix);
}

/** Writes the file whole or not at all. */
async function sealSecrets(safe: string, cluster: string, secrets: ClusterSecrets, passphrase: string): Promise<void> {
  await mkdir(join(safe, cluster), { recursive: true, mode: 0o700 });
  await replaceFile(fileOf(safe, cluster), seal(JSON.stringify(secrets), passphrase));
}

/** Other names in a file are somebody else's and stay. A server that needs none of ours any more loses them. */
async function writeOpen(
  { out, documents, write }: SecretsInput,
  present: ReadonlyMap<string, Pems>,
  texts: ReadonlyMap<string, Readonly<Record<string, string>>>,
): Promise<readonly string[]> {
  const changed: string[] = [];
  if (write && texts.size > 0) await mkdir(join(out, secretsFolder), { recursive: true, mode: 0o700 });
  for (const server of [...new Set([...present.keys(), ...documents.keys()])].toSorted(compareText)) {
    const before = present.get(server) ?? {};
    const ours = [...texts.keys()];
    const others = Object.entries(before).filter(([name]) => !ours.some((cluster) => isOf(name, cluster)));
    const after = { ...Object.fromEntries(others), ...needed(documents.get(server), texts) };
    if (pemsText(before) === pemsText(after)) continue;
    changed.push(server);
    const file = join(out, secretsFolder, `${server}.json`);
    if (write && Object.keys(after).length === 0) await rm(file, { force: true });
    else if (write) await replaceFile(file, pemsText(after));
  }
  return changed;
}

function needed(
  document: ServerDocument | undefined,
  texts: ReadonlyMap<string, Readonly<Record<string, string>>>,
): Pems {
  if (document === undefined) return {};
  const own = texts.get(document.server.cluster) ?? {};
  const names = Object.values(document.pki.secrets).map(({ secret }) => secret);
  return Object.fromEntries(names.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]])));
}

const needsAny = ({ pki }: ServerDocument): boolean => Object.keys(pki.secrets).length > 0;
const isOf = (name: string, cluster: string): boolean =>
  ['encryption', 'service-accounts', 'service-accounts-public'].some((end) => name === `${cluster}/${end}`);
const fileOf = (safe: string, cluster: string): string => join(safe, cluster, 'secrets.sealed');

function fault(file: string, reason: AuthorityReason, message: string, fix: string): InputError {
  return new InputError([{ reason, file, message, fix }]);
}
