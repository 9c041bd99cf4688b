import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServerDocument } from '../../../src/planes/fleet/compile/document.ts';
import { goThrough, type Outcome } from '../../../src/planes/fleet/run/engine.ts';
import { reachHandlers } from '../../../src/planes/fleet/run/over-reach.ts';
import type { Called } from '../../../src/planes/fleet/run/reach.ts';
import { reachBySalt } from '../../../src/planes/fleet/run/salt.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { component, etcdServer, file, folder } from '../../support/salt/documents.ts';
import { type SaltFleet, saltFleet } from '../../support/salt/master.ts';
import { runOf } from '../../support/salt/run.ts';

const ids = ['ams1-one', 'ams1-two', 'ams1-three'];
const place = '/etc/tideline-wave';
const never = new AbortController().signal;

/** A server with one file; `broken` has a unit whose certificate nobody signed, which its states refuse to start. */
function documentOf(id: string, text: string, broken = false): ServerDocument {
  const model = etcdServer({ source: 'salt://none', bytes: '' });
  const key = `${place}/server.key`;
  const certificate = { [`${place}/server.crt`]: { ...file, key, authority: 'etcd' } };
  const keys = { [key]: { user: 'root', group: 'root', mode: '0600', algorithm: 'ec-p256' as const } };
  return {
    ...model,
    server: { ...model.server, id },
    system: { packages: [], held: {}, modules: [], sysctl: {}, hosts: {}, users: {}, mounts: {} },
    artifacts: {},
    pki: { keys, certificates: certificate, authorities: {}, secrets: {} },
    components: [
      component('common'),
      component('pki', { directories: { [place]: folder } }),
      component('exabgp', {
        files: { [`${place}/wave.conf`]: { ...file, text } },
        units: broken
          ? {
              'wave.service': {
                text: '[Service]\nExecStart=/bin/true\n',
                running: true,
                watches: [`${place}/server.crt`],
                onChange: 'restart',
              },
            }
          : {},
      }),
    ],
  };
}

function isTrue(called: Called | undefined): boolean {
  return called !== undefined && 'value' in called && called.value === true;
}

describe('a master and three minions', () => {
  let fleet: SaltFleet;
  const reach = (answerSeconds = 10) =>
    reachBySalt({ configFolder: fleet.configFolder(), program: fleet.salt, answerSeconds });
  const apply = async (...waves: readonly (readonly string[])[]): Promise<{ outcome: Outcome; said: string[] }> => {
    const said: string[] = [];
    const outcome = await goThrough(runOf(...waves), 0, {
      append: async () => {},
      handlers: reachHandlers,
      waveDone: async () => {},
      reach: reach(),
      clock: systemClock,
      signal: never,
      hold: async () => undefined,
      tell: ({ line }) => {
        if (line !== undefined) said.push(line);
      },
    });
    return { outcome, said };
  };
  const texts = () => Promise.all(ids.map((id) => fleet.textOf(id, `${place}/wave.conf`)));
  const put = async (text: string, broken?: string): Promise<void> => {
    for (const id of ids) await fleet.put(documentOf(id, text, id === broken));
  };
  const everyoneAnswers = () =>
    eventually(
      'every minion answers',
      async () => {
        const answers = await reach().call(ids, 'test.ping', {}, never);
        return ids.every((id) => isTrue(answers.get(id)));
      },
      { timeoutMs: 240_000, everyMs: 1000 },
    );

  beforeAll(async () => {
    fleet = await saltFleet(ids);
    await everyoneAnswers();
  }, 300_000);
  afterAll(() => fleet.end());

  test('a wave whose server fails leaves the waves after it untouched', async () => {
    await put('first\n', 'ams1-two');
    const { outcome } = await apply(['ams1-one'], ['ams1-two'], ['ams1-three']);
    expect(outcome).toMatchObject({
      ended: 'failed',
      wave: 1,
      faults: [{ server: 'ams1-two', message: expect.stringContaining('wave.service is not started before') }],
    });
    expect(await texts()).toEqual(['first\n', 'first\n', undefined]);
  });

  test('what is mended goes to everybody, and a second time nothing changes', async () => {
    await put('second\n');
    const first = await apply(['ams1-one'], ['ams1-two', 'ams1-three']);
    expect(first.outcome).toEqual({ ended: 'finished' });
    expect(await texts()).toEqual(['second\n', 'second\n', 'second\n']);
    const predicted = await reach().apply(ids, { test: true, signal: never });
    expect([...predicted.values()]).toEqual(ids.map(() => ({ ok: true, changes: [] })));
    const again = await apply(ids);
    expect(again.said).toEqual(['3 of 3 servers as their documents say, 0 changes']);
  });

  test('a server that hands in its public keys knows its newest document', async () => {
    const answers = await reach().call(['ams1-one'], 'tideline.public_keys', {}, never);
    expect(answers.get('ams1-one')).toEqual({
      value: { [`${place}/server.key`]: expect.stringContaining('BEGIN PUBLIC KEY') },
    });
  });

  test('arguments arrive as they are, and the errors of a function are errors', async () => {
    const odd = ['#1', 'yes', '{{ 7 * 7 }}', 'a b', "it's", '\u2028', '1_000', ''];
    const echo = async (value: unknown) =>
      (await reach().call(['ams1-one'], 'tideline_units.start', { units: value }, never)).get('ams1-one');
    expect(await echo(odd)).toEqual({ error: expect.stringContaining(`has no unit ${odd.join(', ')}`) });
    expect(await echo('#1')).toEqual({ error: expect.stringContaining('has no unit #1') });
  });

  test('a dead minion is noticed in its wave, and the waves after it are untouched', async () => {
    fleet.stopMinion('ams1-two');
    await put('third\n');
    const { outcome } = await apply(['ams1-one', 'ams1-two'], ['ams1-three']);
    expect(outcome).toMatchObject({
      ended: 'failed',
      wave: 0,
      faults: [{ server: 'ams1-two', message: expect.stringContaining('did not answer') }],
    });
    expect(await texts()).toEqual(['third\n', 'second\n', 'second\n']);
    fleet.startMinion('ams1-two');
    // Whoever is silent is asked several times: a minute on a quiet machine.
  }, 300_000);

  test('a new master with the keys of the old one takes over', async () => {
    await fleet.replaceMaster();
    await everyoneAnswers();
    const { outcome } = await apply(['ams1-one'], ['ams1-two'], ['ams1-three']);
    expect(outcome).toEqual({ ended: 'finished' });
    expect(await texts()).toEqual(['third\n', 'third\n', 'third\n']);
  });

  test('a master that is not there is said to be so', async () => {
    fleet.end();
    await expect(reach().call(ids, 'test.ping', {}, never)).rejects.toThrow(/salt said: /);
  });
});
