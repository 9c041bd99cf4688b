import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventuallyWith } from '../../test/support/eventually.ts';

const main = resolve(import.meta.dirname, 'main.ts');
const clear = '\u001b[H\u001b[2J';
const eventually = eventuallyWith({ timeoutMs: 20_000, everyMs: 50, onError: 'fail' });

let folder = '';
const started: ChildProcess[] = [];
const servers: Server[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terminal-'));
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  }
  for (const server of servers.splice(0)) server.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

interface Seen {
  text: string;
}

/** Runs the command on a terminal of its own, which `script` makes, or without one. */
function tideline(args: readonly string[], { terminal = true, columns = 0, env = {} } = {}): Seen {
  const command = [process.execPath, main, ...args];
  const quoted = command.map((word) => `'${word}'`).join(' ');
  const onTerminal = ['script', '-qfec', `stty cols ${columns}; exec ${quoted}`, '/dev/null'];
  const [program = '', ...words] = terminal ? onTerminal : command;
  const child = spawn(program, words, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, TERM: 'xterm', SHELL: '/bin/sh', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const seen: Seen = { text: '' };
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      seen.text += chunk;
    });
  return seen;
}

const shown = (seen: Seen, what: string): Promise<unknown> => eventually(what, () => seen.text.includes(what));

const valid = 'the platform has no agent that could be asked';
const invalid = '(MissingField)';

/** A spec with a cluster that has no Node, so that nobody is asked over the network. */
async function writeSpec(): Promise<void> {
  const apiVersion = 'tideline.dev/v1alpha1';
  const location = { country: 'FR', latitude: 48.86, longitude: 2.35 };
  const site = { type: 'cloud', location, prefixes: { vips: ['203.0.113.0/28'] } };
  const cluster = { sites: ['paris'], source: { manifests: './manifests' }, entry: { anycast: ['203.0.113.1'] } };
  const documents = [
    { apiVersion, kind: 'Site', metadata: { name: 'paris' }, spec: site },
    { apiVersion, kind: 'Cluster', metadata: { name: 'paris' }, spec: cluster },
  ];
  await write(documents.map((document) => JSON.stringify(document)).join('\n---\n'));
}

async function write(text: string): Promise<void> {
  await writeFile(join(folder, '.spec'), text);
  await rename(join(folder, '.spec'), join(folder, 'spec.yaml'));
}

test.each([
  ['status --watch', 'head -1', valid],
  ['status', 'true', ''],
])('%s ends in silence when %s has read enough', async (words, reader, first) => {
  await writeSpec();
  const child = spawn('sh', ['-c', `"$@" ${words} spec.yaml | ${reader}`, 'sh', process.execPath, main], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const [said, complained, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  expect([said, complained, code]).toEqual([expect.stringContaining(first), '', 0]);
});

test('status --watch follows the spec through edits, one that is bad among them, on a terminal, a dumb one and none', async () => {
  await mkdir(join(folder, 'manifests'));
  await writeFile(join(folder, 'manifests', 'a.yaml'), 'apiVersion: v1\nkind: Service\nmetadata: { name: a }\n');
  await writeSpec();
  const args = ['status', '--watch', 'spec.yaml'];
  const onTerminal = tideline(args);
  const asLines = [tideline(args, { env: { TERM: 'dumb' } }), tideline(args, { terminal: false })];
  const all = [onTerminal, ...asLines];
  const allShow = async (what: string): Promise<void> => {
    const sofar = all.map(({ text }) => text.length);
    await eventually(what, () => all.every(({ text }, at) => text.slice(sofar[at]).includes(what)));
  };
  await allShow(valid);
  await write('kind: Nonsense\n');
  await allShow(invalid);
  await writeSpec();
  await allShow(valid);
  for (const seen of all) {
    const pictures = seen.text
      .split(seen === onTerminal ? clear : /^\r?\n(?=\d|spec)/m)
      .slice(seen === onTerminal ? 1 : 0);
    const kinds = pictures.map((text) => [valid, invalid].filter((what) => text.includes(what)));
    expect(kinds.filter((one, at) => one.join() !== kinds[at - 1]?.join())).toEqual([[valid], [invalid], [valid]]);
    expect(seen.text.replaceAll(clear, '')).not.toContain('\u001b');
  }
  expect(all.map(({ text }) => text.includes(clear))).toEqual([true, false, false]);
});

test('lines are as wide as the terminal and lose no word; without a terminal they stay whole', async () => {
  await mkdir(join(folder, 'manifests'));
  await writeSpec();
  const args = ['status', 'spec.yaml'];
  const [narrow, piped] = [tideline(args, { columns: 40 }), tideline(args, { terminal: false })];
  await Promise.all([shown(narrow, 'announced by'), shown(piped, 'announced by')]);
  const words = (text: string) =>
    text
      .replace(/\d\d:\d\d:\d\dZ/, '')
      .trim()
      .split(/\s+/);
  expect(words(narrow.text)).toEqual(words(piped.text));
  expect(piped.text).toContain(valid);
  for (const line of narrow.text.split(/\r?\n/)) expect(line.length).toBeLessThanOrEqual(40);
});

/** PowerDNS, which answers 503 after 1.5 s. */
async function slowServer(): Promise<string> {
  const server = createServer((_, response) => {
    setTimeout(() => response.writeHead(503).end(), 1500);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a command that works for a second says what it does on a terminal alone, and what it repeats anywhere', async () => {
  const url = await slowServer();
  const hybrid = resolve(import.meta.dirname, '../../examples/hybrid');
  const args = ['plan', hybrid, '--provider', 'powerdns', '--powerdns-url', url];
  const env = { POWERDNS_API_KEY: 'key' };
  const [onTerminal, onPipe] = [tideline(args, { env }), tideline(args, { terminal: false, env })];
  await Promise.all([shown(onTerminal, 'powerdns: reading zone'), shown(onTerminal, '503'), shown(onPipe, '503')]);
  expect(onTerminal.text.indexOf('reading zone')).toBeLessThan(onTerminal.text.indexOf('503'));
  expect(onPipe.text).not.toContain('reading zone');
});
