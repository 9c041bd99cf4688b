import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { FleetDesk } from '../../../test/support/salt/stand-in.ts';

/** The command with a stand-in for `salt`, which writes down what it was asked and answers as a file says. */
const root = resolve(import.meta.dirname, '../../..');
const spec = readFileSync(join(root, 'test/golden/check/valid-fleet/input.yaml'), 'utf8')
  // A blade would have its requests counted for a while.
  .replace(/^---\n.*\n.*\nmetadata: \{ name: par-a-blade \}\n.*\n/m, '');
const salt = `
const { appendFileSync, existsSync, readFileSync } = require('node:fs');
const words = process.argv.slice(2);
const servers = words[words.indexOf('--list') + 1].split(',');
const fn = words.find((word) => /^(state|tideline\\w*|saltutil)\\./.test(word));
appendFileSync(process.env.ASKED, fn + (words.some((w) => w.startsWith('tideline.pki')) ? ' pki' : '') + ' ' + servers.join(',') + '\\n');
const bad = existsSync(process.env.BAD) ? readFileSync(process.env.BAD, 'utf8').split(' ') : [];
const state = (ok) => ({ 'a_|-b': { __id__: 'a file', result: ok, changes: {}, comment: ok ? '' : 'no disk' } });
const masters = ['par-a-master', 'par-b-master', 'par-c-master'];
const member = (name) => [name, { name, learner: false, urls: [], healthy: true }];
const health = {
  'tideline_health.etcd': { self: 'par-a-master', leader: 'par-a-master', alarms: [], members: Object.fromEntries(masters.map(member)) },
  'tideline_health.api': { ready: true },
  'tideline_health.vip': { prefixes: ['10.1.9.1/32'], missing: [], state: 'UP', withdrawn: false, sessions: { '10.1.0.1': true } },
  'tideline_drain.move_etcd_leader': { moved: false },
  'tideline_drain.withdraw_api': { state: 'DOWN' },
  'tideline_drain.announce_api': { state: 'UP' },
};
const answer = (id) => health[fn] ? health[fn] : fn === 'state.apply' ? state(!bad.includes(id)) : fn === 'tideline_units.restart' ? { restarted: [] } : { value: 1 };
setTimeout(() => console.log(JSON.stringify(Object.fromEntries(servers.map((id) => [id, answer(id)])))), Number(process.env.SLOW ?? 0));
`;

let desk: FleetDesk;
const at = (...parts: readonly string[]) => desk.at(...parts);
const fleet = (...words: readonly string[]) => desk.fleet(...words);
const environment = () => desk.environment();
beforeEach(() => {
  desk = new FleetDesk(salt, spec, { ASKED: 'asked', BAD: 'bad' });
}, 60_000);
afterEach(() => {
  desk.remove();
});
const plan = () => fleet('plan', at('spec'), '--against', at('out'));
const checksumIn = (text: string): string => /^checksum: ([0-9a-f]{16})$/m.exec(text)?.[1] ?? 'none';
const apply = (checksum: string, ...more: readonly string[]) =>
  fleet('apply', checksum, at('spec'), '--against', at('out'), ...more);
/** What servers were asked beside their health. */
const asked = (): readonly string[] => {
  try {
    const lines = readFileSync(at('asked'), 'utf8').trim().split('\n');
    return lines.filter((line) => !line.startsWith('tideline_health.'));
  } catch {
    return [];
  }
};
/** As if everything was signed: certificates of no worth, which nobody reads here. */
function signed(): void {
  const certificates: Record<string, Record<string, string>> = {};
  const plans = JSON.parse(readFileSync(at('out/pki-plan.json'), 'utf8')) as Record<string, { path: string }[]>;
  for (const [server, planned] of Object.entries(plans))
    certificates[server] = Object.fromEntries(planned.map(({ path }) => [path, 'PEM']));
  mkdirSync(at('out/certificates'), { recursive: true });
  for (const [server, pems] of Object.entries(certificates))
    writeFileSync(at('out/certificates', `${server}.json`), JSON.stringify(pems));
  expect(fleet('compile', at('spec'), '--out', at('out')).status).toBe(0);
}

it('does a plan wave by wave, has nothing to do then, and says of a finished run that it is', () => {
  signed();
  const planned = plan();
  expect(planned.said).toContain('have not got what was written before');
  const checksum = checksumIn(planned.said);
  const done = apply(checksum);
  expect(done).toMatchObject({ status: 0 });
  const waves = asked();
  expect(waves[0]).toBe('state.apply par-a-master,par-b-master,par-c-master');
  expect(waves.slice(1).every((line) => /^(state\.apply|tideline_units\.restart) par-/.test(line))).toBe(true);
  expect(plan().stdout).toMatch(/^nothing changes\n(?:warning: .*\n)*checksum: /);
  const again = apply(checksum);
  expect(again).toMatchObject({ status: 0 });
  expect(again.said).toContain('this run was finished at');
  expect(asked()).toEqual(waves);
  expect(apply('0123456789abcdef').said).toMatch(/the plan of now has the checksum [0-9a-f]{16}.*\(ChecksumDiffers\)/s);
});

it('ends at the first server that fails, leaves the rest untouched, and goes on there by the same command', () => {
  signed();
  writeFileSync(at('bad'), 'par-a-worker');
  const checksum = checksumIn(plan().said);
  const failed = apply(checksum);
  expect(failed.status).toBe(1);
  expect(failed.said).toContain('par-a-worker: a file: no disk');
  expect(failed.said).toMatch(/the \d+ after it are untouched/);
  const before = asked();
  expect(before.at(-1)).toBe('state.apply par-a-worker');
  expect(plan().said).toContain('did not end well (failed)');
  rmSync(at('bad'));
  expect(apply(checksum).status).toBe(0);
  expect(asked()[before.length]).toBe('state.apply par-a-worker');
  expect(plan().stdout).toMatch(/^nothing changes\n(?:warning: .*\n)*checksum: /);
});

it('shows after a failure which servers are not as the spec says, and in which wave the run is', () => {
  signed();
  writeFileSync(at('bad'), 'par-a-worker');
  apply(checksumIn(plan().said));
  const { status, said } = fleet('status', at('spec'), '--against', at('out'));
  expect(status).toBe(1);
  expect(said).toMatch(/^\d of \d servers are as the spec says$/m);
  expect(said).toMatch(/^last run \S+ \(apply by \S+\): failed, in wave \d of \d: par-a-worker$/m);
  expect(said).toMatch(/^ {2}has not got its document: .*par-a-worker/m);
});

it('does not go on with a run when the spec is another one, and a new plan has what servers have not got', () => {
  signed();
  writeFileSync(at('bad'), 'par-a-worker');
  const checksum = checksumIn(plan().said);
  apply(checksum);
  rmSync(at('bad'));
  writeFileSync(at('spec/fleet.yaml'), spec.replace(/^( *)versions:/m, '$1audit: { maxAgeDays: 60 }\n$1versions:'));
  expect(apply(checksum).said).toMatch(/the spec changed since .*\(RunOfOtherSpec\)/s);
  const anew = plan();
  expect(anew.said).toContain('par-a-worker');
  expect(apply(checksumIn(anew.said)).status).toBe(0);
  expect(apply(checksum).said).toMatch(/another run took the place.*\(ChecksumDiffers\)/s);
  expect(plan().stdout).toMatch(/^nothing changes\n(?:warning: .*\n)*checksum: /);
});

it('leaves other versions of Kubernetes to an upgrade, which keeps their order, also after a compile', () => {
  signed();
  expect(apply(checksumIn(plan().said)).status).toBe(0);
  const before = asked();
  writeFileSync(at('spec/fleet.yaml'), spec.replaceAll('1.36.3', '1.36.4'));
  expect(fleet('compile', at('spec'), '--out', at('out')).status).toBe(0);
  const planned = plan();
  expect(planned.said).toContain('only tideline fleet upgrade paris does that');
  expect(apply(checksumIn(planned.said)).said).toMatch(/gets another version \(UpgradeNeeded\)/);
  expect(asked()).toEqual(before);
});

it('refuses to begin what it cannot end: servers without certificates need whoever signs', () => {
  const planned = plan();
  expect(planned.said).toContain('apply pki, sign, apply');
  const refused = apply(checksumIn(planned.said));
  expect(refused.status).toBe(2);
  expect(refused.said).toMatch(/cannot be done from here: sign \(StepUnavailable\)\n.*--authorities/);
  expect([asked(), readdirSync(at('out')).includes('applied')]).toEqual([[], false]);
});

it('makes what a new cluster needs before its first step, and nothing of it without being told', () => {
  writeFileSync(at('passphrase'), 'a passphrase of some length\n', { mode: 0o600 });
  writeFileSync(at('bad'), 'par-a-master');
  const checksum = checksumIn(plan().said);
  const safe = ['--authorities', at('safe'), '--passphrase-file', at('passphrase')];
  const secrets = () => readdirSync(at('out')).includes('secrets');
  const refused = apply(checksum, ...safe);
  expect(refused.status).toBe(2);
  expect(refused.said).toMatch(/there is no authority paris\/.*--create-authorities/s);
  expect([secrets(), asked()]).toEqual([false, []]);
  const made = apply(checksum, ...safe, '--create-authorities');
  expect(made.said).toContain('apply pki failed in wave 1');
  expect(made.said).toContain('made the authority paris/etcd\n');
  expect(made.said).toContain('made the secrets of paris\n');
  expect(secrets()).toBe(true);
  expect(readdirSync(at('safe/paris'))).toContain('kubernetes.key');
});

it('does nothing while the platform is frozen', () => {
  signed();
  const checksum = checksumIn(plan().said);
  spawnSync(join(root, 'bin/tideline'), ['freeze', at('spec'), '--reason', 'no changes', '--by', 'ann'], {
    env: environment(),
  });
  const frozen = apply(checksum);
  expect(frozen.status).toBe(2);
  expect(frozen.said).toMatch(/FROZEN by ann.*\(RunFrozen\)/s);
  expect(apply(checksum, '--despite-freeze').status).toBe(0);
});

it('lets one person at a time, ends after the running step on Ctrl-C, and goes on by the same command', async () => {
  signed();
  const checksum = checksumIn(plan().said);
  const words = ['fleet', 'apply', checksum, at('spec'), '--against', at('out')];
  const child = spawn(process.execPath, [join(root, 'src/cli/main.ts'), ...words], {
    env: { ...environment(), SLOW: '3000' },
  });
  const ended = new Promise<number | null>((done) => child.on('close', done));
  let said = '';
  child.stdout.on('data', (text) => (said += String(text)));
  await eventually('the first wave began', () => asked().length > 0, { timeoutMs: 60_000, everyMs: 50 });
  const second = apply(checksum);
  expect(second.status).toBe(2);
  expect(second.said).toMatch(/has held this folder since.*\(RunLocked\)/s);
  const compiled = fleet('compile', at('spec'), '--out', at('out'));
  expect([compiled.status, compiled.said]).toEqual([2, expect.stringContaining('(RunLocked)')]);
  child.kill('SIGINT');
  expect(await ended).toBe(1);
  expect(said).toMatch(/stopped: .* ended it\ngo on by the same command/);
  expect(asked()).toHaveLength(1);
  expect(apply(checksum).status).toBe(0);
  expect(asked()[1]).not.toBe(asked()[0]);
}, 120_000);

it('goes on after it was killed, with the step that it was in', async () => {
  signed();
  const checksum = checksumIn(plan().said);
  const words = ['fleet', 'apply', checksum, at('spec'), '--against', at('out')];
  const child = spawn(process.execPath, [join(root, 'src/cli/main.ts'), ...words], {
    env: { ...environment(), SLOW: '3000' },
  });
  const ended = new Promise((done) => child.on('close', done));
  await eventually('the first wave began', () => asked().length > 0, { timeoutMs: 60_000, everyMs: 50 });
  child.kill('SIGKILL');
  await ended;
  expect(apply(checksum).status).toBe(0);
  expect(asked()[1]).toBe(asked()[0]);
}, 120_000);
