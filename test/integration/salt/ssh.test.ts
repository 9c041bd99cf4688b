import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServerDocument } from '../../../src/planes/fleet/compile/document.ts';
import { documentSigner } from '../../../src/planes/fleet/pki/operator-key.ts';
import { goThrough, type Outcome } from '../../../src/planes/fleet/run/engine.ts';
import { reachHandlers } from '../../../src/planes/fleet/run/over-reach.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { component, etcdServer, file, folder } from '../../support/salt/documents.ts';
import { runOf } from '../../support/salt/run.ts';
import { type SshFleet, sshFleet } from '../../support/salt/ssh.ts';

/** The Salt master is gone: everything that it did is done by ssh. */

const ids = ['ams1-one', 'ams1-two'];
/** The last one is a server of examples/fleet. */
const master = 'par-a-master';
const addresses = {
  ...Object.fromEntries(ids.map((id, index) => [id, `127.0.0.${11 + index}`])),
  [master]: '10.1.0.11',
};
const root = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);
const place = '/etc/tideline-wave';
const never = new AbortController().signal;
const program = '#!/bin/sh\n';

/** A server with a file, a key, a secret and a program that only the file server of Salt has. */
function documentOf(id: string, text: string): ServerDocument {
  const model = etcdServer({ source: 'salt://programs/one', bytes: program });
  const key = `${place}/server.key`;
  return {
    ...model,
    server: { ...model.server, id },
    system: { packages: [], held: {}, modules: [], sysctl: {}, hosts: {}, users: {}, mounts: {} },
    artifacts: Object.fromEntries(Object.entries(model.artifacts).slice(0, 1)),
    pki: {
      keys: { [key]: { user: 'root', group: 'root', mode: '0600', algorithm: 'ec-p256' } },
      certificates: {},
      authorities: {},
      secrets: { [`${place}/token`]: { user: 'root', group: 'root', mode: '0600', secret: 'token' } },
    },
    components: [
      component('common'),
      component('pki', { directories: { [place]: folder } }),
      component('exabgp', { files: { [`${place}/wave.conf`]: { ...file, text } } }),
    ],
  };
}

describe('servers without a Salt master', () => {
  let fleet: SshFleet;
  const apply = async (...waves: readonly (readonly string[])[]): Promise<Outcome> =>
    await goThrough(runOf(...waves), 0, {
      append: async () => {},
      handlers: reachHandlers,
      waveDone: async () => {},
      reach: fleet.reach(fleet.files),
      clock: systemClock,
      signal: never,
      hold: async () => undefined,
      tell: () => {},
    });
  const texts = () => Promise.all(ids.map((id) => fleet.textOf(id, `${place}/wave.conf`)));
  const put = async (text: string): Promise<void> => {
    for (const id of ids) {
      await fleet.put(documentOf(id, text));
      await writeFile(join(fleet.out, 'secrets', `${id}.json`), JSON.stringify({ token: `of ${id}\n` }));
    }
  };

  beforeAll(async () => {
    await run('ip', ['address', 'add', `${addresses[master]}/32`, 'dev', 'lo']);
    fleet = await sshFleet(addresses);
    await put('first\n');
  }, 300_000);
  afterAll(() => fleet?.end());

  test('what a server lacks of the file server is named, and nothing is done there', async () => {
    const applied = await fleet.reach().apply(['ams1-one'], { signal: never });
    expect(applied.get('ams1-one')).toEqual({
      ok: false,
      failed: [{ state: '', comment: expect.stringContaining('has not got salt://programs/one') }],
    });
    expect(await texts()).toEqual([undefined, undefined]);
  });

  test('documents, secrets and files reach every server, and a second time nothing changes', async () => {
    await mkdir(join(fleet.files, 'programs'));
    await writeFile(join(fleet.files, 'programs/one'), program);
    const outcome = await apply(['ams1-one'], ['ams1-two']);
    expect(outcome).toEqual({ ended: 'finished' });
    expect(await texts()).toEqual(['first\n', 'first\n']);
    expect(await fleet.textOf('ams1-two', `${place}/token`)).toBe('of ams1-two\n');
    const predicted = await fleet.reach().apply(['ams1-two'], { test: true, signal: never });
    expect(predicted.get('ams1-two')).toEqual({ ok: true, changes: [] });
  }, 300_000);

  test('no secret stays outside of its place, and modes are those of the states', async () => {
    const found = await fleet.say('ams1-two', 'grep -rl "of ams1-two" /run /tmp /var /etc || true');
    expect(found.trim()).toBe(`${place}/token`);
    const modes = await fleet.say('ams1-two', `stat -c '%a %n' /var/cache/tideline/ssh /opt/tideline-fleet/etcd`);
    expect(modes).toBe('700 /var/cache/tideline/ssh\n755 /opt/tideline-fleet/etcd\n');
  });

  test('functions answer, and their errors are errors', async () => {
    const keys = await fleet.reach().call(['ams1-one'], 'tideline.public_keys', {}, never);
    expect(keys.get('ams1-one')).toEqual({
      value: { [`${place}/server.key`]: expect.stringContaining('BEGIN PUBLIC KEY') },
    });
    const odd = ['#1', 'yes', '{{ 7 * 7 }}', 'a b', "it's", '\u2028', 'end'];
    const answer = await fleet.reach().call(['ams1-one'], 'tideline_units.start', { units: odd }, never);
    expect(answer.get('ams1-one')).toEqual({ error: expect.stringContaining(`has no unit ${odd.join(', ')}`) });
  });

  test('a server that has the key of the operator refuses a document that nobody signed', async () => {
    const key = join(fleet.out, 'operator.key');
    await run('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', key]);
    const { stdout } = await run('openssl', ['pkey', '-in', key, '-pubout']);
    await fleet.say('ams1-one', `mkdir -p /etc/tideline && printf %s '${stdout}' >/etc/tideline/operator.pem`);
    const apply = async () => (await fleet.reach().apply(['ams1-one'], { test: true, signal: never })).get('ams1-one');
    expect(await apply()).toMatchObject({ ok: false });
    const path = join(fleet.out, 'documents/ams1-one.json');
    await writeFile(`${path}.sig`, (await documentSigner(key))(await readFile(path, 'utf8')));
    expect(await apply()).toEqual({ ok: true, changes: [] });
    await fleet.say('ams1-one', 'rm /etc/tideline/operator.pem');
  });

  test('a server that does not answer, or whose key is another one, is silent, and waves after it are untouched', async () => {
    fleet.stop('ams1-two');
    await put('second\n');
    const outcome = await apply(['ams1-two'], ['ams1-one']);
    expect(outcome).toMatchObject({
      ended: 'failed',
      wave: 0,
      faults: [{ server: 'ams1-two', message: expect.stringMatching(/did not answer.*Connection refused/) }],
    });
    expect(await texts()).toEqual(['first\n', 'first\n']);
    await fleet.start('ams1-two');
    await fleet.doubt('ams1-two');
    const other = await fleet.reach().call(['ams1-two'], 'test.ping', {}, never);
    expect(other.get('ams1-two')).toEqual({
      silent: true,
      why: expect.stringContaining('Host key verification failed'),
    });
  });

  test('the command asks by ssh, at the addresses of the spec', async () => {
    const out = '/run/ssh-desk/example';
    const tideline = (...words: readonly string[]) =>
      run(join(root, 'bin/tideline'), ['fleet', ...words], { cwd: root }).catch(
        (error: { readonly stdout: string }) => error,
      );
    await tideline('compile', 'examples/fleet', '--out', out);
    const { stdout } = await tideline(
      'status',
      'examples/fleet',
      '--against',
      out,
      '--ssh-config',
      fleet.config,
      '-o',
      'json',
    );
    const { servers } = JSON.parse(stdout) as { servers: { server: string; problems: string[] }[] };
    const problems = (name: string) => servers.find(({ server }) => server === name)?.problems.join('\n') ?? '';
    expect(problems(master)).toContain('has etcd not at all instead of 3.6.8');
    expect(problems('par-b-worker')).toMatch(/does not answer: .*10\.1\.0\.32.* unreachable/);
  });
});
