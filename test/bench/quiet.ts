import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabProcess, lab, until } from '../integration/lab/labprocess.ts';
import { quietVerdict, type Vector } from './support/quiet.ts';

/**
 * `make quiet`: leaves a lab with Prometheus, and with a steering agent that applies by itself, alone for a quarter of an hour (or for as many
 * minutes as the argument says). Exit code 1 when an alert fired in that time. The waits of alerts are a twentieth there, so that what is brief enough to be waited for in production fires
 * here: the check is stricter than the bar.
 */
const minutes = Number(process.argv[2] ?? 15);
if (!(minutes > 0 && minutes <= 24 * 60)) {
  process.stderr.write('usage: test/bench/quiet.ts [MINUTES]\n');
  process.exit(2);
}
const startMs = 300_000;
const settleMs = 120_000;

const folder = await mkdtemp('/tmp/tl-quiet-');
const running = new LabProcess(join(folder, 's'), [], ['--alerts', '--steering', 'automatic']);
try {
  await running.waitForOutput(/^ready/m, startMs);
  let agents = 0;
  await until(async () => {
    agents = await countTargets();
    if (agents === 0) return 'Prometheus does not know its agents yet';
    const asked = (await ask('up')).data?.result.length ?? 0;
    if (asked < agents) return `Prometheus has asked ${asked} of ${agents} agents`;
    const active = (await ask('ALERTS')).data?.result.length;
    return active === 0 ? undefined : `${active} alerts are left of the start`;
  }, settleMs);
  const [before = 0] = loadavg();
  const begunMs = Date.now();
  await sleep(minutes * 60_000);
  const seconds = Math.floor((Date.now() - begunMs) / 1000);
  const verdict = quietVerdict({
    seconds,
    agents,
    alerts: await ask(`sum by (alertname, cluster, alertstate) (count_over_time(ALERTS[${seconds}s]))`),
    asked: await ask(`count_over_time(up[${seconds}s])`),
  });
  const [after = 0] = loadavg();
  const load = `load ${before.toFixed(1)} before, ${after.toFixed(1)} after`;
  process.stdout.write(`${[...verdict.lines, load].join('\n')}\n`);
  process.exitCode = verdict.isQuiet ? 0 : 1;
} finally {
  running.destroy();
  await rm(folder, { recursive: true, force: true });
}

async function ask(query: string): Promise<Vector> {
  return (await get(`query?${new URLSearchParams({ query }).toString()}`)) as Vector;
}

/** How many agents Prometheus is told to ask, whether or not it has. */
async function countTargets(): Promise<number> {
  const { data } = (await get('targets?state=active')) as {
    readonly data: { readonly activeTargets: readonly unknown[] };
  };
  return data.activeTargets.length;
}

async function get(path: string): Promise<unknown> {
  const url = `http://127.0.0.1:9090/api/v1/${path}`;
  const { stdout } = await lab('exec', '--state', running.state, '--', 'curl', '-s', url);
  return JSON.parse(stdout);
}
