import { expect, it } from 'vitest';
import { fleetPlatform } from '../../../../../test/support/fleet.ts';
import { compileFleet } from '../../compile/compile.ts';
import type { Called } from '../reach.ts';
import type { DrainContext } from './context.ts';
import { handOver } from './control-planes.ts';

const { documents } = compileFleet(fleetPlatform(), {});
const [c0, c1] = ['site0-control0', 'site0-control1'] as const;
const members = ['site0-control0', 'site0-control1', 'site0-control2'].map((name) => [
  name,
  { name, learner: false, urls: [], healthy: true },
]);
const view = (leader: string | null) => ({ self: null, leader, members: Object.fromEntries(members), alarms: [] });
const problem = 'deadline exceeded';

/** What the drain of a member says that cannot tell whether it leads. */
async function stuck(others: object, units: Called) {
  const lines: string[] = [];
  const answers: Readonly<Record<string, Called>> = {
    'tideline_drain.move_etcd_leader': { value: { moved: false, problem } },
    'tideline_health.etcd': { value: others },
    'service.get_running': units,
  };
  const call = async (servers: readonly string[], fn: string) =>
    new Map(servers.map((server) => [server, answers[fn] ?? { silent: true }]));
  const context = {
    reach: { call },
    world: { documents },
    cluster: 'site0',
    signal: new AbortController().signal,
    say: (line: string) => lines.push(line),
  } as unknown as DrainContext;
  return { faults: await handOver([c0], context), lines };
}

const runs: Called = { value: ['ssh', 'etcd'] };
const refused = [{ reason: 'ServerRefuses', message: `${c0}: ${problem}` }];
it.each<[string, object, Called, readonly object[]]>([
  ['it leads', view(c0), runs, refused],
  ['nobody knows who leads', view(null), runs, refused],
  ['the others do not know either', { problem }, runs, refused],
  ['nobody knows whether it runs', view(null), { silent: true }, refused],
  ['another one leads', view(c1), runs, []],
  ['it does not run', { problem }, { value: ['ssh', 'etcd-snapshot'] }, []],
])('a member that cannot say who leads is judged where %s', async (_, others, units, faults) => {
  const found = await stuck(others, units);
  expect(found.faults).toEqual(faults);
  expect(found.lines).toEqual(
    faults.length > 0 ? [] : [`${c0} is not asked to hand the lead of etcd over: ${problem}`],
  );
});
