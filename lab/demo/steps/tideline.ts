import { phaseOf } from '../../observe/whole.ts';
import type { Stage } from '../stage.ts';
import { type Step, unnoticed } from '../step.ts';
import { expect } from '../unmet.ts';

/** Waits until every agent of the cluster reports this phase of its source: `live`, `stale SourceMissing`. */
export async function untilPhases(stage: Stage, cluster: string, wanted: string): Promise<void> {
  await stage.until(async () => {
    const agents = (await stage.agents()).filter(({ server }) => server.startsWith(`${cluster}-`));
    const other = agents.find((agent) => !phaseOf(agent).startsWith(wanted));
    return other === undefined ? undefined : `${other.server} says ${phaseOf(other)}, not ${wanted}`;
  });
}

export const inputLost: Step = {
  name: 'input-lost',
  explanation:
    'Paris loses its input: manifests that vanish, become empty, turn into garbage, or a real kube-apiserver that is killed or cut off. Loss of input is not a change of intent: every agent says stale, and no route, endpoint or answer changes.',
  tolerance: unnoticed,
  async run(stage) {
    const before = (await stage.rackRoutes('paris')).join('\n');
    const losses = stage.lab.clusters.get('paris')?.inputLosses ?? [];
    for (const { mode, what, says } of losses) {
      stage.narrate(`${what}: every agent should say "${says}", and hold.`);
      await stage.fault('input-lost', `paris/${mode}`);
      await untilPhases(stage, 'paris', says);
      await stage.pause(1500);
      const now = (await stage.rackRoutes('paris')).join('\n');
      expect(now === before, `the routes of paris changed: ${now}`);
      await stage.heal('input-lost');
      await untilPhases(stage, 'paris', 'live');
    }
    const after = (await stage.rackRoutes('paris')).join('\n');
    expect(after === before, `the routes of paris changed: ${after}`);
    const modes = losses.map(({ mode }) => mode).join(', ');
    return `${modes}: every agent of paris said stale and held everything, then live again`;
  },
};

export const agentsRestarted: Step = {
  name: 'agents-restarted',
  explanation:
    'Every Tideline agent is killed at once (SIGKILL), under load. nginx and ExaBGP serve on what they hold; the agents start again, read it back, and change nothing.',
  tolerance: unnoticed,
  async run(stage) {
    const before = await pids(stage);
    const racks = ['paris', 'newyork'];
    const { routes, changes } = await whileWatchingRoutes(stage, racks, async () => {
      await stage.fault('agents-killed', 'all');
      await stage.until(() => restarted(stage, before));
      for (const rack of racks) await untilPhases(stage, rack, 'live');
      await stage.pause(4000);
    });
    expect(changes.length === 0, `routes changed: ${changes.join(', ')}`);
    await stage.heal('agents-killed');
    return `${before.size} agents started again; the same ${routes} routes before, meanwhile and after`;
  },
};

/** Watches the racks' routes during `action`: how many there were, and each that was gone or new at some moment, with the first one. */
async function whileWatchingRoutes(
  stage: Stage,
  racks: readonly string[],
  action: () => Promise<void>,
): Promise<{ readonly routes: number; readonly changes: readonly string[] }> {
  const look = async (): Promise<Set<string>> =>
    new Set((await Promise.all(racks.map((rack) => stage.rackRoutes(rack)))).flat());
  const before = await look();
  const from = stage.now();
  const changes = new Map<string, string>();
  let done = false;
  const watching = stage.until(async () => {
    const now = await look();
    const at = ((stage.now() - from) / 1000).toFixed(1);
    for (const route of before) if (!now.has(route)) changes.set(route, changes.get(route) ?? `gone after ${at} s`);
    for (const route of now) if (!before.has(route)) changes.set(route, changes.get(route) ?? `new after ${at} s`);
    return done ? undefined : 'the action goes on';
  }, 240_000);
  const acting = action().finally(() => {
    done = true;
  });
  await Promise.all([acting, watching]);
  return { routes: before.size, changes: [...changes].map((change) => change.join(' ')).toSorted() };
}

async function pids(stage: Stage): Promise<ReadonlyMap<string, number | undefined>> {
  const agents = stage.lab.supervisor.status().filter(({ name }) => name.endsWith('-agent'));
  return new Map(agents.map(({ name, pid }) => [name, pid]));
}

async function restarted(stage: Stage, before: ReadonlyMap<string, number | undefined>): Promise<string | undefined> {
  const now = await pids(stage);
  const waiting = [...before].find(([name, pid]) => now.get(name) === undefined || now.get(name) === pid);
  return waiting === undefined ? undefined : `${waiting[0]} has not started again`;
}
