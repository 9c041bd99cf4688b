import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { peerOf, withEtcdMembers } from '../../support/etcd-members.ts';
import { eventuallyWith, NotYet } from '../../support/eventually.ts';

/** The execution module of etcd on real members: each change of the membership, and each recovery, with data that must be there afterwards. */
const etcd = withEtcdMembers();
const eventually = eventuallyWith({ timeoutMs: 60_000, everyMs: 200 });
const [zero, one, two, three] = ['site0-etcd0', 'site0-etcd1', 'site0-etcd2', 'site0-etcd3'] as const;

interface Member {
  readonly name: string;
  readonly healthy: boolean;
  readonly learner: boolean;
  readonly leader: boolean;
  readonly revision: number;
}

async function members(by: string): Promise<readonly Member[]> {
  const { members: found } = await etcd().call(by, 'members');
  return found as readonly Member[];
}

async function well(by: string, ...names: readonly string[]): Promise<void> {
  const voters = names.map((name) => `${name} votes`).join(', ');
  await eventually(async () => {
    const found = await members(by);
    const seen = found.map(
      ({ name, healthy, learner }) => `${name} ${learner ? 'learns' : healthy ? 'votes' : 'ails'}`,
    );
    if (seen.join(', ') !== voters) throw new NotYet(seen.join(', '));
    return true;
  });
}

const value = async (by: string) => (await etcd().etcdctl(by, 'get', 'key', '--print-value-only')).trim();
/** What was moved aside on a member, the oldest first. */
const aside = async (name: string) => {
  const names = await readdir(etcd().server(name).at('/var/lib/etcd'));
  return names.filter((one) => one.startsWith('before-')).toSorted();
};
const leader = async (by: string) => (await members(by)).find((member) => member.leader)?.name ?? '';
const about = (name: string) => ({ name, peer: peerOf(name) });

beforeAll(async () => {
  await etcd().install([zero, one, two]);
  await etcd().start(zero, one, two);
  await well(zero, zero, one, two);
  await etcd().etcdctl(zero, 'put', 'key', 'kept');
}, 120_000);

describe('members', () => {
  it('join as learners and get their vote when they have everything', async () => {
    await etcd().install([zero, one, two, three], [three]);
    await expect(etcd().call(three, 'join')).rejects.toThrow(/^NotAdded: /);
    expect(await etcd().call(zero, 'add', about(three))).toMatchObject({ changed: true });
    expect(await etcd().call(one, 'add', about(three))).toMatchObject({ changed: false, found: 'learner' });
    await expect(etcd().call(zero, 'add', { name: 'site0-etcd9', peer: peerOf('site0-etcd9') })).rejects.toThrow(
      /^LearnerThere: /,
    );
    expect(await etcd().call(three, 'join')).toMatchObject({ changed: true });
    await etcd().start(three);
    expect(await etcd().call(zero, 'promote', about(three))).toMatchObject({ changed: true, found: 'learner' });
    expect(await etcd().call(zero, 'promote', about(three))).toMatchObject({ changed: false, found: 'voter' });
    expect(await etcd().call(three, 'join')).toMatchObject({ changed: false, found: 'running' });
    await well(three, zero, one, two, three);
    expect(await value(three)).toBe('kept');
  }, 120_000);

  it('leave, the leader as well, and a second time nothing is left to do', async () => {
    const first = await leader(one);
    const by = first === three ? zero : three;
    expect(await etcd().call(by, 'remove', about(first))).toMatchObject({ changed: true, ledBefore: true });
    expect(await etcd().call(by, 'remove', about(first))).toEqual({ changed: false, found: 'none' });
    await etcd().kill(first);
    // It comes back with data of a membership that is over.
    expect(await etcd().call(by, 'add', about(first))).toMatchObject({ changed: true });
    await expect(etcd().call(first, 'join')).rejects.toThrow(/^DataThere: /);
    expect(await etcd().call(first, 'join', { aside: true })).toMatchObject({ changed: true });
    await etcd().start(first);
    await etcd().call(by, 'promote', about(first));
    await etcd().call(zero, 'remove', about(three));
    await etcd().kill(three);
    await well(one, zero, one, two);
    expect(await value(first)).toBe('kept');
  }, 120_000);

  it('are replaced after the loss of a disk, and only then', async () => {
    await expect(etcd().call(zero, 'replace', about(one))).rejects.toThrow(/^MemberHealthy: /);
    await etcd().loseDisk(one);
    expect(await etcd().call(zero, 'replace', about(one))).toMatchObject({ changed: true, found: 'voter' });
    expect(await etcd().call(zero, 'replace', about(one))).toMatchObject({ changed: false, found: 'learner' });
    await etcd().call(one, 'join');
    await etcd().start(one);
    await etcd().call(zero, 'promote', about(one));
    await well(one, zero, one, two);
    expect(await value(one)).toBe('kept');
  }, 120_000);

  it('do not leave while another is down: two of three would have no quorum', async () => {
    await etcd().kill(two);
    await expect(etcd().call(zero, 'remove', about(one))).rejects.toThrow(/^QuorumWouldBeLost: .* 1 of 2 voters/);
    await expect(etcd().call(zero, 'update', { name: one, peer: peerOf(three) })).rejects.toThrow(
      /^QuorumWouldBeLost: /,
    );
    await etcd().start(two);
    await well(zero, zero, one, two);
  }, 60_000);
});

describe('data', () => {
  it('comes back from a verified snapshot after all disks are lost, with revisions far above those of before', async () => {
    const taken = await etcd().call(one, 'snapshot');
    expect(taken).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), revision: expect.any(Number) });
    await etcd().etcdctl(zero, 'put', 'key', 'later');
    const source = { source: taken['path'], sha256: taken['sha256'] };
    await expect(etcd().call(zero, 'restore', source)).rejects.toThrow(/^StillRunning: etcd/);
    for (const name of [zero, one, two]) await etcd().loseDisk(name);
    expect(await etcd().call(zero, 'standing')).toMatchObject({ running: false, empty: true });
    await expect(etcd().call(zero, 'restore', { ...source, sha256: 'f'.repeat(64) })).rejects.toThrow(/^AnotherFile: /);
    for (const name of [zero, one, two])
      expect(await etcd().call(name, 'restore', source)).toMatchObject({ changed: true });
    expect(await etcd().call(one, 'restore', source)).toMatchObject({ changed: false, found: 'restored' });
    await etcd().start(zero, one, two);
    await well(zero, zero, one, two);
    expect(await value(two)).toBe('kept');
    expect((await members(zero))[0]?.revision).toBeGreaterThan(1_000_000_000);
  }, 120_000);

  it('is never removed: each restore keeps what was there, and one that was done is not done again', async () => {
    await etcd().kill(zero, one, two);
    const { sha256, path } = JSON.parse(
      await readFile(etcd().server(one).at('/var/backups/etcd/taken.json'), 'utf8'),
    ) as Readonly<Record<'sha256' | 'path', string>>;
    // Names and times that sort after everything: neither is what `snapshot` has made.
    const other = `${dirname(path)}/before-migration.db`;
    await writeFile(other, 'not a snapshot');
    await utimes(other, new Date('2100-01-01'), new Date('2100-01-01'));
    const before = (await aside(one)).length;
    const first = await etcd().call(one, 'restore', { source: 'taken' });
    expect(first).toMatchObject({ changed: true, found: 'data', sha256 });
    expect(await etcd().call(one, 'restore', { source: 'taken' })).toMatchObject({ changed: false, found: 'restored' });
    expect(await aside(one)).toHaveLength(before + 1);
    for (const name of [zero, two]) await etcd().call(name, 'restore', { source: path, sha256 });
    await etcd().start(zero, one, two);
    await well(zero, zero, one, two);
    await etcd().kill(zero, one, two);
    for (const name of [zero, one, two]) await etcd().call(name, 'restore', { source: path, sha256 });
    expect(await aside(one)).toHaveLength(before + 2);
    await writeFile(path, 'another file');
    await expect(etcd().call(one, 'restore', { source: 'taken' })).rejects.toThrow(/^AnotherFile: /);
    await etcd().start(zero, one, two);
    await well(zero, zero, one, two);
    expect(await value(one)).toBe('kept');
  }, 180_000);

  it('is not moved under an etcd that started meanwhile, nor changed by two calls at once', async () => {
    const { path, sha256 } = await etcd().call(zero, 'snapshot');
    await etcd().kill(zero);
    const here = etcd().server(zero);
    const document = await readFile(here.at('/document.json'), 'utf8');
    const etcdutl = here.document.artifacts['etcdutl']?.link ?? '';
    const starts = here.at('/bin/etcdutl-and-start');
    await writeFile(starts, `#!/bin/sh\n${etcdutl} "$@" && ${here.at('/bin/systemctl')} start etcd.service\n`, {
      mode: 0o755,
    });
    await writeFile(here.at('/document.json'), document.replaceAll(`"${etcdutl}"`, `"${starts}"`));
    await expect(etcd().call(zero, 'restore', { source: path, sha256 })).rejects.toThrow(/^StillRunning: etcd/);
    await writeFile(here.at('/document.json'), document);
    await well(zero, zero, one, two);

    const holder = spawn('flock', [here.at('/run/tideline/etcd.lock'), 'sh', '-c', 'echo held; read end'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    await expect(etcd().call(zero, 'restore', { source: path, sha256 })).rejects.toThrow(/^Busy: /);
    await expect(etcd().call(zero, 'alone')).rejects.toThrow(/^Busy: /);
    expect(await members(zero)).toHaveLength(3);
    holder.stdin.end();
    await once(holder, 'close');
  }, 120_000);

  it('of one survivor becomes the cluster again after two of three members are lost', async () => {
    await etcd().etcdctl(zero, 'put', 'key', 'last');
    for (const name of [zero, one, two]) await expect(etcd().call(name, 'no_quorum')).rejects.toThrow(/^QuorumThere: /);
    await etcd().loseDisk(one);
    await etcd().loseDisk(two);
    await eventually(async () => (await etcd().call(zero, 'standing'))['quorum'] === false);
    expect(await etcd().call(zero, 'no_quorum')).toEqual({ changed: false, found: 'none' });
    expect(await etcd().call(zero, 'alone')).toMatchObject({ changed: true });
    expect(await etcd().call(zero, 'alone')).toMatchObject({ changed: false, found: 'alone' });
    await expect(access(etcd().server(zero).at('/run/tideline/etcd-join.env'))).rejects.toThrow();
    const there: string[] = [zero];
    for (const name of [one, two]) {
      await well(zero, ...there);
      there.push(name);
      await etcd().call(zero, 'add', about(name));
      await etcd().call(name, 'join', { aside: true });
      await etcd().start(name);
      await etcd().call(zero, 'promote', about(name));
    }
    await well(two, zero, one, two);
    expect(await value(two)).toBe('last');
    await expect(etcd().call(zero, 'alone')).rejects.toThrow(/^QuorumThere: /);
  }, 120_000);
});
