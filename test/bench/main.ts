import { execFile, spawn } from 'node:child_process';
import { availableParallelism, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bgpBlock } from './bgp/block.ts';
import { bgpRoutes } from './bgp/routes.ts';
import { edgeAgentOnKubernetes } from './edge/agent-apiserver.ts';
import { edgeAgentFromFolder } from './edge/agent-folder.ts';
import { edgeChanges } from './edge/changes.ts';
import { processorTime } from './edge/processor-time.ts';
import { fleetCompile } from './fleet-compile.ts';
import { kubernetesSource } from './kube/source.ts';
import { labStart } from './lab.ts';
import { metricsApi } from './metrics-api.ts';
import { networkAgent } from './network-agent.ts';
import { networkBlocks } from './network-blocks.ts';
import { steeringOctodns } from './steering/octodns.ts';
import { steeringPlan } from './steering/plan.ts';
import { steeringRecovery } from './steering/recovery.ts';
import { steeringZone } from './steering/zone.ts';
import { type Bench, markdownTable, type Row } from './support/row.ts';

/**
 * `make bench` runs every bench, or those whose names begin with `--only NAME`, one after the other, each in a process and in
 * namespaces of its own (tools/isolated), with which all that it left ends. A missed budget is a row and no failure: the exit code
 * tells only whether every bench could measure. The table at the end is Markdown.
 */
const benches: readonly Bench[] = [
  processorTime,
  edgeChanges,
  edgeAgentFromFolder,
  edgeAgentOnKubernetes,
  bgpRoutes,
  bgpBlock,
  networkAgent,
  networkBlocks,
  kubernetesSource,
  steeringPlan,
  steeringZone,
  steeringOctodns,
  steeringRecovery,
  fleetCompile,
  metricsApi,
  labStart,
];

const isolated = join(import.meta.dirname, '../../tools/isolated');

const [option, name = ''] = process.argv.slice(2);
if (option === '--inside') {
  await runBench(name);
} else if (option === undefined || option === '--only') {
  const chosen = benches.filter((bench) => bench.name.startsWith(name));
  if (chosen.length === 0) {
    process.stderr.write(`no bench ${name}; there are: ${benches.map((bench) => bench.name).join(', ')}\n`);
    process.exit(2);
  }
  await runAll(chosen);
} else {
  process.stderr.write('usage: test/bench/main.ts [--only NAME]\n');
  process.exit(2);
}

async function runAll(chosen: readonly Bench[]): Promise<void> {
  const begin = performance.now();
  const rows: Row[] = [];
  const failed: string[] = [];
  const [loadBefore = 0] = loadavg();
  for (const bench of chosen) {
    process.stderr.write(`== ${bench.name}\n`);
    const measured = await prepare(bench).then(
      () => runInOwnProcess(bench),
      () => undefined,
    );
    if (measured === undefined) failed.push(bench.name);
    else rows.push(...measured);
  }
  const [load = 0] = loadavg();
  process.stdout.write(`\n${await machine()}; load ${loadBefore.toFixed(1)} before, ${load.toFixed(1)} after\n`);
  const missed = rows.filter(({ met }) => met === false).length;
  process.stdout.write(`\n${markdownTable(rows)}\n\n`);
  process.stdout.write(
    `${rows.length} figures in ${Math.round((performance.now() - begin) / 1000)} s; budgets missed: ${missed}\n`,
  );
  if (failed.length > 0) process.stdout.write(`could not measure: ${failed.join(', ')}\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/** The machine, its software and the date, for people who read the figures later. */
async function machine(): Promise<string> {
  const first = async (command: string, args: readonly string[], pattern: RegExp): Promise<string> => {
    const { stdout, stderr } = await promisify(execFile)(command, args);
    return pattern.exec(stdout + stderr)?.[1] ?? 'unknown';
  };
  const [nginx, exabgp, bird] = await Promise.all([
    first('nginx', ['-v'], /nginx\/(\S+)/),
    first('exabgp', ['--version'], /ExaBGP : (\S+)/),
    first('bird', ['--version'], /BIRD version (\S+)/),
  ]);
  const day = new Date().toISOString().slice(0, 10);
  const software = `Node ${process.version}, nginx ${nginx}, ExaBGP ${exabgp}, BIRD ${bird}`;
  return `${day}; ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}; ${software}`;
}

async function prepare({ name, prepare: act }: Bench): Promise<void> {
  try {
    await act?.();
  } catch (error) {
    process.stderr.write(`${name} cannot be prepared: ${error instanceof Error ? error.message : String(error)}\n`);
    throw error;
  }
}

/** Runs one bench in a process of its own; undefined when it failed. */
async function runInOwnProcess(bench: Bench): Promise<readonly Row[] | undefined> {
  const words = [process.execPath, ...process.execArgv, import.meta.filename, '--inside', bench.name];
  const child = spawn(isolated, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', resolve);
  });
  return code === 0 ? (JSON.parse(output) as readonly Row[]) : undefined;
}

async function runBench(wanted: string): Promise<void> {
  const bench = benches.find((candidate) => candidate.name === wanted);
  if (bench === undefined) throw new Error(`no bench ${wanted}`);
  const begin = performance.now();
  const rows = await bench.run((doing) => {
    process.stderr.write(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${doing}\n`);
  });
  process.stdout.write(JSON.stringify(rows), () => process.exit(0));
}
