import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../model/values.ts';
import { readBounded } from '../../../runtime/bounded-file.ts';
import type { ServerDocument } from '../compile/document.ts';
import { appliedOf, calledOf } from './answers.ts';
import { type Finished, type ProgramOptions, runProgram } from './program.ts';
import type { Applied, ApplyOptions, Called, Reach, Silent } from './reach.ts';
import { isReading, keywords } from './salt-words.ts';
import { type NeededFile, neededBy, printedBy, quoted, receiveText, type SentFile, scriptOf } from './ssh-script.ts';

export interface SshOptions {
  /** The folder of documents. */
  readonly folder: string;
  /** Our folder `salt`: formulas, modules and the pillar. */
  readonly salt: string;
  /** Undefined for a server that nobody knows. */
  readonly addressOf: (server: string) => string | undefined;
  /** What the file server of the Salt master had, for servers that lack some of it. */
  readonly files?: string;
  /** The configuration of ssh; absent: that of the person who runs it. */
  readonly config?: string;
  /** The longest that one step may take on a server. */
  readonly limitMs?: number;
}

const defaultLimitMs = 60 * 60 * 1000;
const mostBytes = 2 ** 20;
/** Connections at once: each is a process here. */
const atOnce = 20;
/** A server that is not heard of for so long is given up; BatchMode asks no question that nobody would answer. */
const patience = ['BatchMode=yes', 'ConnectTimeout=15', 'ServerAliveInterval=15', 'ServerAliveCountMax=4'];

/** What one server said: the text of salt-call, why it said nothing, or why nothing was done there. */
type Said = { readonly text: string; readonly stderr: string } | Silent | { readonly refused: string };

/**
 * Servers without a Salt master: each by the `ssh` of this machine, with what Salt needs brought along, and `salt-call --local` there. Host keys, users and
 * keys are those of the configuration of ssh, under the names of servers; the addresses are those of the spec.
 */
export function reachBySsh(options: SshOptions): Reach {
  let formulas: Promise<readonly SentFile[]> | undefined;
  const ask = async (servers: readonly string[], words: readonly string[], signal: AbortSignal) => {
    formulas ??= formulasIn(options.salt);
    const brought = await formulas;
    return await eachOf(servers, signal, (server) => askOne(options, server, words, brought, signal));
  };
  return {
    async apply(servers, { components, test, signal }: ApplyOptions) {
      const states = (components ?? []).map((name) => `tideline.${name}`).join(',');
      const words = ['state.apply', ...(states === '' ? [] : [states]), ...(test === true ? ['test=True'] : [])];
      return mapped(await ask(servers, words, signal), appliedFrom);
    },
    async call(servers, fn, args, signal) {
      return mapped(await ask(servers, [fn, ...keywords(args)], signal), calledFrom);
    },
  };
}

/** Asks all of these servers, a few at once. Only an abort is an error of all: a server that cannot be asked is silent. */
async function eachOf(
  servers: readonly string[],
  signal: AbortSignal,
  ask: (server: string) => Promise<Said>,
): Promise<ReadonlyMap<string, Said>> {
  const said = new Map<string, Said>();
  const left = [...servers];
  const work = async (): Promise<void> => {
    for (let server = left.shift(); server !== undefined; server = left.shift()) {
      const one = await ask(server).catch((error: unknown): Said => {
        if (signal.aborted) throw error;
        return { silent: true, why: messageOf(error) };
      });
      said.set(server, one);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, servers.length) }, work));
  return said;
}

async function askOne(
  options: SshOptions,
  server: string,
  words: readonly string[],
  formulas: readonly SentFile[],
  signal: AbortSignal,
): Promise<Said> {
  const { document, files } = await ofServer(options.folder, server);
  const [fn = ''] = words;
  const needs = fn === 'state.apply' ? neededBy(document) : [];
  const script = scriptOf({ server, files: [...formulas, ...files], needs, words, reads: isReading(fn) });
  for (let brought = false; ; brought = true) {
    const { stdout, stderr } = await ssh(options, server, 'sh -s', Buffer.from(script), signal);
    const { reached, answer } = printedBy(stdout);
    if (answer === undefined) {
      const why = reached ? `the connection ended before it was done: ${lastOf(stderr)}` : lastOf(stderr);
      return { silent: true, why };
    }
    if (answer.lacks.length === 0) return { text: answer.text, stderr };
    const lacking = needs.filter(({ path }) => answer.lacks.includes(path));
    const problem = brought ? 'what was brought there is gone' : await bring(options, server, lacking, signal);
    if (problem !== undefined) return { refused: problem };
  }
}

/** Sends one file after the other to a server; says which one did not arrive. */
async function bring(
  options: SshOptions,
  server: string,
  needs: readonly NeededFile[],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (options.files === undefined) {
    const names = needs.map(({ path }) => `salt://${path}`).join(', ');
    return `it has not got ${names}, and there is no Salt master: name the folder of these files by --salt-files`;
  }
  for (const need of needs) {
    const file = join(options.files, need.path);
    const receive = `sh -c ${quoted(receiveText(need))}`;
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() !== true) return `there is no file ${file} for it`;
    const pieces = createReadStream(file, { end: Math.max(0, found.size - 1) });
    const { stdout, stderr } = await ssh(options, server, receive, pieces, signal);
    if (printedBy(stdout).answer === undefined) return `${file} did not arrive there: ${lastOf(stderr)}`;
  }
  return undefined;
}

/** Runs a command as root on a server. */
async function ssh(
  { addressOf, config, limitMs = defaultLimitMs }: SshOptions,
  server: string,
  command: string,
  input: NonNullable<ProgramOptions['input']>,
  signal: AbortSignal,
): Promise<Finished> {
  const address = addressOf(server);
  if (address === undefined) throw new Error('it has no address');
  const args = [
    ...(config === undefined ? [] : ['-F', config]),
    ...[...patience, `HostName=${address}`].flatMap((option) => ['-o', option]),
    '-T',
    server,
    `if [ "$(id -u)" = 0 ]; then exec ${command}; else exec sudo -n ${command}; fi`,
  ];
  return await runProgram('ssh', args, { signal, timeoutMs: limitMs, input });
}

function mapped<T>(said: ReadonlyMap<string, Said>, judge: (said: Said) => T): ReadonlyMap<string, T> {
  return new Map([...said].map(([server, one]) => [server, judge(one)]));
}

function appliedFrom(said: Said): Applied {
  if ('silent' in said) return said;
  if ('refused' in said) return { ok: false, failed: [{ state: '', comment: said.refused }] };
  const local = localOf(said.text);
  return local === undefined
    ? { ok: false, failed: [{ state: '', comment: lastOf(said.stderr) }] }
    : appliedOf(local.value);
}

function calledFrom(said: Said): Called {
  if ('silent' in said) return said;
  if ('refused' in said) return { error: said.refused };
  const local = localOf(said.text);
  return local === undefined ? { error: lastOf(said.stderr) } : calledOf(local.value);
}

/** The answer of salt-call; undefined where it printed none, because a function failed. */
function localOf(text: string): { readonly value: unknown } | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null && 'local' in answer ? { value: answer.local } : undefined;
  } catch {
    return undefined;
  }
}

/** The last thing that a program complained about. */
function lastOf(stderr: string): string {
  const last = stderr.split('\n').findLast((line) => line.trim() !== '') ?? 'it said nothing';
  return last.trim().slice(0, 500);
}

async function formulasIn(salt: string): Promise<readonly SentFile[]> {
  const found: SentFile[] = [];
  for (const folder of ['formulas', 'pillar']) {
    const names = await readdir(join(salt, folder), { recursive: true });
    for (const name of names.filter((one) => /\.(sls|jinja|py)$/.test(one)).toSorted())
      found.push({ path: `${folder}/${name}`, content: await readBounded(join(salt, folder, name), mostBytes) });
  }
  return found;
}

/** The document, its signature and the secrets of a server, as they lie in the folder of documents now. */
async function ofServer(
  folder: string,
  server: string,
): Promise<{ readonly document: ServerDocument | undefined; readonly files: readonly SentFile[] }> {
  const paths = [`documents/${server}.json`, `documents/${server}.json.sig`, `secrets/${server}.json`];
  const files: SentFile[] = [];
  for (const path of paths) {
    const content = await readBounded(join(folder, path), mostBytes).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (content !== undefined) files.push({ path, content });
  }
  const text = files.find(({ path }) => path === paths[0])?.content.toString();
  return { document: text === undefined ? undefined : JSON.parse(text), files };
}
