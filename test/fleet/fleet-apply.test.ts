import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBinaries } from '../../lab/control-plane/binaries.ts';
import type { Admin } from '../../lab/fleet/admin.ts';
import { LabFleet } from '../../lab/fleet/fleet.ts';
import { checksumIn, type Operator } from '../../lab/fleet/operator.ts';
import { Network } from '../../lab/net/network.ts';
import { findNodePrograms } from '../../lab/servers/programs.ts';
import { findRoot } from '../../lab/servers/root.ts';
import { findSalt } from '../../tools/salt/installation.ts';
import { taskNamed } from '../support/tasks.ts';

/** A cluster as an operator makes it, by `tideline fleet` and a Salt master, from servers that are nothing. */
const network = new Network();
const started = performance.now();
const shape = { masters: 3, workers: 2, kubeconfig: '../paris.kubeconfig' };
let folder: string;
let fleet: LabFleet;
let operator: Operator;
let admin: Admin;

const say = (stage: string): void => {
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1)} s: ${stage}\n`);
};

beforeAll(async () => {
  const [root, programs, binaries, salt] = await Promise.all([
    findRoot(process.env),
    findNodePrograms(process.env),
    findBinaries(process.env),
    findSalt(process.env),
  ]);
  folder = await mkdtemp(join(tmpdir(), 'tideline-fleet-'));
  fleet = new LabFleet({ folder, network, root, programs, binaries, salt: salt.folder, shape, say });
  await fleet.boot();
  operator = await fleet.bootOperator();
  say('the Salt master has its minions');
  await operator.bring(join(folder, 'platform'));
  say(await operator.compile());
  say(await operator.kubeconfig('--create-authorities'));
  const { printed, checksum } = await operator.plan();
  say(printed);
  const images = ['par-worker-1', 'par-worker-2'].map((name) => fleet.importImages(name));
  say(await operator.apply(checksum, '--create-authorities'));
  await Promise.all(images);
  admin = await operator.admin({ network, folder, kubectl: binaries.kubectl });
}, 900_000);

afterAll(async () => {
  await fleet?.remove();
  await network.destroy();
  await rm(folder, { recursive: true, force: true });
});

describe('a cluster that an operator makes', () => {
  test('has every node, and nothing left to do', async () => {
    const nodes = await admin.kubectl(['get', 'nodes', '-o', 'name']);
    expect(nodes.trim().split('\n')).toEqual(['node/par-worker-1', 'node/par-worker-2']);
    expect((await operator.plan()).printed).toContain('nothing changes');
  });

  test('has a worker set up again by one command with a plan', async () => {
    const [plan = '', apply = ''] = taskNamed('set up a server again, here a worker whose disk died').commands;
    const printed = await operator.typed(plan);
    say(printed);
    say(await operator.typed(apply, checksumIn(printed)));
    const ready = await admin.kubectl(['wait', '--for=condition=Ready', 'node/par-worker-2', '--timeout=120s']);
    expect(ready).toContain('condition met');
  });
});
