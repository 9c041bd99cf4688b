import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FleetDesk } from '../../../test/support/salt/stand-in.ts';

/** The commands of every day after the first, with a stand-in for `salt` that answers questions and does nothing. */
const root = resolve(import.meta.dirname, '../../..');
const spec = readFileSync(join(root, 'test/golden/check/valid-fleet/input.yaml'), 'utf8');
const salt = `
const { existsSync } = require('node:fs');
const words = process.argv.slice(2);
const servers = words[words.indexOf('--list') + 1].split(',');
const fn = words.find((word) => /^(state|tideline\\w*|saltutil|test|service)\\./.test(word));
const member = { name: 'par-a-master', peers: ['https://10.1.0.11:2380'], healthy: true, learner: false, leader: true };
const answers = { 'test.ping': true, 'tideline_etcd.members': { members: [member] }, 'service.get_running': [], 'tideline_units.retire': 'The minion function caused an exception: no disk' };
const answering = servers.filter((id) => !existsSync(process.env.DOWN + id));
console.log(JSON.stringify(Object.fromEntries(answering.map((id) => [id, answers[fn] ?? { value: 1 }]))));
`;

let desk: FleetDesk;
const at = (...parts: readonly string[]) => desk.at(...parts);
const fleet = (...words: readonly string[]) => desk.fleet(...words);
beforeEach(() => {
  desk = new FleetDesk(salt, spec, { DOWN: 'down-' });
}, 60_000);
afterEach(() => {
  desk.remove();
});

const about = (verb: string, name: string, ...more: readonly string[]) =>
  fleet(verb, name, at('spec'), '--against', at('out'), ...more);
const retire = (name: string) => {
  const text = spec.replace(new RegExp(`(name: ${name} *\\}?\\n(?:.*\\n)*?spec:(?: \\{)?)`), (found) =>
    found.endsWith('{') ? `${found} state: retired,` : `${found}\n  state: retired`,
  );
  expect(text).not.toBe(spec);
  writeFileSync(at('spec/fleet.yaml'), text);
};

it('refuses what the spec does not say yet, with the edit that it expects', () => {
  const { status, said } = about('remove', 'par-a-worker');
  expect(said).toMatch(/the platform spec still has par-a-worker.*\(ServerStays\)/);
  expect(said).toContain('state: retired');
  expect(status).toBe(2);
});

it('plans the removal of a worker, and writes nothing', () => {
  retire('par-a-worker');
  const { status, said } = about('remove', 'par-a-worker');
  expect(status).toBe(0);
  expect(said).toMatch(
    /^remove par-a-worker: 1 waves\n {2}1 paris worker: par-a-worker\n {4}tideline_units\.retire on par-a-worker /,
  );
  expect(said).toContain('units=containerd.service,');
  expect(said).toMatch(/^warning: the source of Cluster paris names no kubeconfig: .* not drained/m);
  expect(said).toMatch(/^checksum: [0-9a-f]{16}$/m);
  expect(about('remove', 'par-a-worker').said).toBe(said);
});

it('plans it also when a compile has removed its document', () => {
  retire('par-a-worker');
  expect(fleet('compile', at('spec'), '--out', at('out')).status).toBe(0);
  expect(about('remove', 'par-a-worker').said).toContain('tideline_units.retire on par-a-worker');
});

it('does what was agreed to and nothing else: the first step that fails ends it', () => {
  retire('par-a-worker');
  const { said } = about('remove', 'par-a-worker');
  const checksum = /^checksum: (.*)$/m.exec(said)?.[1] ?? '';
  expect(about('remove', 'par-a-worker', '--plan', '0123456789abcdef').said).toContain('ChecksumDiffers');
  const done = about('remove', 'par-a-worker', '--plan', checksum);
  expect(done.status).toBe(1);
  // What drains it and stops it still reads its document.
  expect(existsSync(at('out/documents/par-a-worker.json'))).toBe(true);
  expect(done.said).toMatch(/tideline_units\.retire failed in wave 1 of 1.*\n.*par-a-worker: .*no disk/);
});

it('leaves out a server that is dead, and says so', () => {
  retire('par-a-worker');
  writeFileSync(at('down-par-a-worker'), '');
  expect(about('remove', 'par-a-worker').said).toMatch(/warning: par-a-worker does not answer and is left out/);
});

it('refuses to replace a member of etcd that is well', () => {
  expect(about('replace', 'par-a-master').said).toContain('(MemberHealthy)');
});

it('has nothing to upgrade where nothing changed', () => {
  expect(about('upgrade', 'paris').said).toMatch(/^upgrade paris: nothing to do\n/);
});
