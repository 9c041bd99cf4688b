import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { findBinaries } from '../../lab/control-plane/binaries.ts';
import type { Admin } from '../../lab/fleet/admin.ts';
import { LabFleet } from '../../lab/fleet/fleet.ts';
import type { Operator } from '../../lab/fleet/operator.ts';
import { type FleetShape, serversOf } from '../../lab/fleet/spec.ts';
import { Network } from '../../lab/net/network.ts';
import { findNodePrograms } from '../../lab/servers/programs.ts';
import { findRoot } from '../../lab/servers/root.ts';
import { findSalt } from '../../tools/salt/installation.ts';

/** A cluster on booted servers, made by `tideline fleet apply`, and its operator, who goes on from there. */
export interface BootedCluster {
  readonly network: Network;
  readonly folder: string;
  readonly fleet: LabFleet;
  readonly operator: Operator;
  readonly admin: Admin;
  /** Says it with the seconds since the start. */
  readonly say: (line: string) => void;
  /** The spec of this shape lies on the operator's machine, and servers that are new in it are booted with a minion. */
  readonly reshape: (shape: FleetShape) => Promise<void>;
  /** A command of every day, planned and done; resolves with what both printed and the seconds that it took. */
  readonly doing: (
    ...words: readonly string[]
  ) => Promise<{ readonly plan: string; readonly done: string; readonly seconds: number }>;
  readonly end: () => Promise<void>;
}

/** Boots the cluster of this shape before the tests of a file, and ends it after them. */
export function withBootedCluster(shape: FleetShape): () => BootedCluster {
  let cluster: BootedCluster | undefined;
  beforeAll(async () => {
    cluster = await bootCluster(shape);
  });
  afterAll(async () => await cluster?.end());
  return () => {
    if (cluster === undefined) throw new Error('the cluster was not booted');
    return cluster;
  };
}

async function bootCluster(shape: FleetShape): Promise<BootedCluster> {
  const started = performance.now();
  const say = (line: string): void => {
    process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1)} s: ${line}\n`);
  };
  const [root, programs, binaries, salt] = await Promise.all([
    findRoot(process.env),
    findNodePrograms(process.env),
    findBinaries(process.env),
    findSalt(process.env),
  ]);
  const network = new Network();
  const folder = await mkdtemp(join(tmpdir(), 'tideline-fleet-'));
  const fleet = new LabFleet({ folder, network, root, programs, binaries, salt: salt.folder, shape, say });
  const end = async (): Promise<void> => {
    await fleet.remove();
    await network.destroy();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await fleet.boot();
    const operator = await fleet.bootOperator();
    say('the Salt master has its minions');
    await operator.bring(join(folder, 'platform'));
    await operator.compile();
    await operator.kubeconfig('--create-authorities');
    const { checksum } = await operator.plan();
    const workers = serversOf(shape).filter(({ roles }) => roles.includes('worker'));
    say(await operator.apply(checksum, '--create-authorities'));
    await Promise.all(workers.map(async ({ name }) => await fleet.importImages(name)));
    say('the cluster is there');
    const admin = await operator.admin({ network, folder, kubectl: binaries.kubectl });
    return {
      network,
      folder,
      fleet,
      operator,
      admin,
      say,
      end,
      async reshape(next) {
        await fleet.compile(next);
        await operator.bring(join(folder, 'platform'));
        const retired = next.retired ?? [];
        const names = serversOf(next).map(({ name }) => name);
        const fresh = names.filter((name) => !fleet.servers.has(name) && !retired.includes(name));
        await operator.admit(await Promise.all(fresh.map(async (name) => await fleet.bootServer(name))));
      },
      async doing(...words) {
        const { printed: plan, checksum: agreed } = await operator.plan(...words);
        const from = performance.now();
        const done = await operator.procedure(words, agreed);
        return { plan, done, seconds: (performance.now() - from) / 1000 };
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}
