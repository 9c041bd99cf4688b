import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findBinaries } from '../../../lab/control-plane/binaries.ts';
import { startControlPlane } from '../../../lab/control-plane/start.ts';
import { Crowd, fullCrowd } from '../../support/source/crowd.ts';
import { type Bench, figure, type Row } from '../support/row.ts';
import { median, pairedRatio, percentile } from '../support/statistics.ts';
import type { Followed, Listed } from './follower.ts';

const rounds = 3;
const changesPerSecond = 500;
const changeSeconds = 10;

type Who = 'ours' | 'informer';

interface Round {
  readonly listed: Listed;
  readonly followed: Followed;
  /** Changes a second that the apiserver took. */
  readonly rate: number;
  readonly lagsMs: readonly number[];
}

/**
 * Measures the Kubernetes source beside the informer of @kubernetes/client-node, on a real kube-apiserver with 50,000 endpoints
 * in 500 slices and 5,000 Ingresses. Both run by turns, each in a process of its own; the apiserver is warm.
 */
export const kubernetesSource: Bench = {
  name: 'kubernetes-source',
  async run(reportProgress) {
    const { folder: binaries } = await findBinaries(process.env);
    reportProgress('starting a control plane');
    const folder = await mkdtemp(join(tmpdir(), 'tideline-bench-'));
    const plane = await startControlPlane({ folder, address: '127.0.1.1', binaries });
    try {
      await plane.end('kube-controller-manager');
      await plane.end('kube-scheduler');
      await plane.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'video' } });
      reportProgress('filling it');
      const crowd = new Crowd(plane, fullCrowd, 'bench');
      await crowd.populate();
      const all: Record<Who, Round[]> = { ours: [], informer: [] };
      for (let round = 1; round <= rounds; round += 1) {
        for (const who of ['ours', 'informer'] as const) {
          reportProgress(`round ${round} of ${rounds}: ${who}`);
          all[who].push(await oneRound(who, plane.kubeconfig, crowd));
        }
      }
      return rowsOf(all.ours, all.informer);
    } finally {
      await plane.stop();
    }
  },
};

async function oneRound(who: Who, kubeconfig: string, crowd: Crowd): Promise<Round> {
  const child = spawn(process.execPath, [
    ...process.execArgv,
    join(import.meta.dirname, 'follower.ts'),
    who,
    kubeconfig,
  ]);
  child.stderr.pipe(process.stderr);
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async <T>(): Promise<T> => JSON.parse((await lines.next()).value ?? 'null') as T;
    const listed = await next<Listed>();
    crowd.sentMs.clear();
    const rate = await crowd.change(changesPerSecond, changeSeconds);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    child.kill('SIGTERM');
    const followed = await next<Followed>();
    const lagsMs = followed.seen.flatMap(([count, atMs]) => {
      const sentMs = crowd.sentMs.get(count);
      return sentMs === undefined ? [] : [atMs - performance.timeOrigin - sentMs];
    });
    return { listed, followed, rate, lagsMs };
  } finally {
    await ended(child);
  }
}

async function ended(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'close');
}

function rowsOf(ours: readonly Round[], peers: readonly Round[]): readonly Row[] {
  const beside = (what: string, unit: string, value: (round: Round) => number): Row => ({
    what,
    measured: figure(median(ours.map(value)), unit),
    peer: figure(median(peers.map(value)), unit),
    ratio: pairedRatio(ours.map(value), peers.map(value)),
  });
  const lag = (share: number) => (round: Round) => percentile(round.lagsMs, share);
  const size = '50,000 endpoints, 5,000 Ingresses';
  const rates = [...ours, ...peers].map(({ rate }) => rate);
  return [
    beside(
      `Kubernetes source: ${size} listed (peer: the informer of @kubernetes/client-node)`,
      's',
      ({ listed }) => listed.seconds,
    ),
    beside('… its processor time', 's', ({ listed }) => listed.processorSeconds),
    beside('… its memory (RSS) before', 'MiB', ({ listed }) => listed.idleMiB),
    beside('… its memory (RSS) after the list', 'MiB', ({ listed }) => listed.listedMiB),
    {
      what: `changes a second that the kube-apiserver took of ${changesPerSecond} asked for, on the same cores`,
      measured: figure(median(rates), '/s'),
    },
    beside('a change asked of the kube-apiserver → told by the source: p50', 'ms', lag(0.5)),
    beside('a change asked of the kube-apiserver → told by the source: p99', 'ms', lag(0.99)),
    beside(`… processor time for ${changeSeconds} s of it`, 's', ({ followed }) => followed.processorSeconds),
    beside('… memory (RSS) after it', 'MiB', ({ followed }) => followed.residentMiB),
    beside('… most memory it ever had (RSS)', 'MiB', ({ followed }) => followed.peakMiB),
  ];
}
