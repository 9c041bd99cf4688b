import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { reachBySalt } from './salt.ts';

/** A stand-in for `salt`: the first server is well, the second answers nothing at first, and runs what it was told until it was asked for it twice. */
const salt = (log: string): string => `#!${process.execPath}
const { appendFileSync, readFileSync } = require('node:fs');
const words = process.argv.slice(2);
const servers = words[words.indexOf('--list') + 1].split(',');
const asked = words.slice(words.indexOf('--log-level=error') + 1).join(' ');
appendFileSync('${log}', asked + ' on ' + servers.join() + '\\n');
const times = readFileSync('${log}', 'utf8').split('\\n').filter((line) => line.startsWith('saltutil')).length;
const answers = asked.startsWith('saltutil.is_running')
  ? { s1: [], s2: times < 2 ? [{ jid: '1' }] : [], s3: {} }
  : asked.startsWith('state.apply') && times > 1
  ? { s2: { state: { result: true, changes: {} } } }
  : { s1: { changed: true }, s2: times > 1 ? { changed: false } : {} };
console.log(JSON.stringify(Object.fromEntries(servers.map((id) => [id, answers[id]]))));
`;

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tideline-salt-'));
  writeFileSync(at('salt'), salt(at('asked')));
  chmodSync(at('salt'), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true }));

const asked = () => readFileSync(at('asked'), 'utf8').trim().split('\n');
const called = (fn: string) =>
  reachBySalt({ program: at('salt') }).call(['s1', 's2'], fn, {}, new AbortController().signal);

it('asks a silent server once again when it has ended what it did, and not one that says nothing at all', async () => {
  const { signal } = new AbortController();
  const answers = await reachBySalt({ program: at('salt') }).call(
    ['s1', 's2', 's3'],
    'tideline_etcd.remove',
    {},
    signal,
  );
  expect([...answers]).toEqual([
    ['s1', { value: { changed: true } }],
    ['s2', { value: { changed: false } }],
    ['s3', { silent: true }],
  ]);
  expect(asked()).toEqual([
    'tideline_etcd.remove on s1,s2,s3',
    'saltutil.is_running tideline_etcd.remove on s2,s3',
    'saltutil.is_running tideline_etcd.remove on s3',
    'saltutil.is_running tideline_etcd.remove on s2',
    'tideline_etcd.remove on s2',
  ]);
});

it('asks a server again for its document that is there and did not answer to that, and not one that answers nothing', async () => {
  const { signal } = new AbortController();
  const answers = await reachBySalt({ program: at('salt') }).apply(['s2', 's3'], { signal });
  expect(answers.get('s2')).toMatchObject({ ok: true });
  expect(answers.get('s3')).toEqual({ silent: true });
});

it('asks once more for what changes nothing', async () => {
  expect((await called('tideline_health.etcd')).get('s2')).toEqual({ silent: true });
  expect(asked()).toEqual(['tideline_health.etcd on s1,s2', 'tideline_health.etcd on s2']);
});

it('waits longer for states each time that a server still works on those of before, whose answer was given up', async () => {
  const busy = `#!${process.execPath}
const { appendFileSync, readFileSync } = require('node:fs');
appendFileSync('${at('asked')}', process.argv.find((word) => word.startsWith('--timeout=')) + '\\n');
const times = readFileSync('${at('asked')}', 'utf8').trim().split('\\n').length;
const running = ['The function "state.apply" is running as PID 7 and was started at noon with jid 1'];
console.log(JSON.stringify({ s1: times < 4 ? (times === 1 ? {} : running) : { one: { result: true, changes: {} } } }));
`;
  writeFileSync(at('salt'), busy);
  const { signal } = new AbortController();
  const applied = await reachBySalt({ program: at('salt') }).apply(['s1'], { signal });
  expect([...applied]).toEqual([['s1', { ok: true, changes: [] }]]);
  expect(asked()).toEqual(['--timeout=15', '--timeout=15', '--timeout=30', '--timeout=60']);
});
