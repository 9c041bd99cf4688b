import type { ClusterControl } from '../../clusters/running.ts';
import type { AgentView } from '../../observe/agents.ts';
import { clientOf, requestFrom } from '../../observe/probe.ts';
import { application } from '../../world/application.ts';
import { podService } from '../../world/pods.ts';
import type { Stage } from '../stage.ts';
import { type Step, unnoticed } from '../step.ts';
import { expect } from '../unmet.ts';
import { parisVip, untilHops } from './blades.ts';
import { podsNotServing } from './scale.ts';
import { untilPhases } from './tideline.ts';

function controls(stage: Stage): ReadonlyMap<string, ClusterControl> {
  return new Map(
    [...stage.lab.clusters].map(([name, { control }]) => {
      expect(control !== undefined, `${name} has no control plane of its own`);
      return [name, control];
    }),
  );
}

/**
 * Kills one pod of the cluster while no control plane can replace it: its node starts it again after `downMs`, at the same
 * address.
 */
async function killPod(stage: Stage, cluster: string, downMs: number): Promise<string> {
  const pod = stage.lab.clusters.get(cluster)?.pods[0];
  expect(pod !== undefined, `${cluster} has a pod`);
  await stage.lab.supervisor.hold(podService(pod));
  await stage.pause(downMs);
  stage.lab.supervisor.release(podService(pod));
  return pod.name;
}

async function rackRoutes(stage: Stage): Promise<string> {
  return (await Promise.all([...stage.lab.clusters.keys()].map((name) => stage.rackRoutes(name)))).flat().join('\n');
}

export const apiserverLost: Step = {
  name: 'apiserver-lost',
  explanation:
    'The control planes of both clusters fail, part by part: controllers and scheduler, etcd, the kube-apiserver, and once more half open (SIGSTOP). Pods die meanwhile and come back on their nodes. Nothing changes for users; afterwards everything catches up.',
  tolerance: unnoticed,
  async run(stage) {
    const planes = controls(stage);
    const clusters = [...planes.keys()];
    const routes = await rackRoutes(stage);
    for (const part of ['kube-controller-manager', 'kube-scheduler', 'etcd', 'kube-apiserver']) {
      stage.narrate(`${part} of ${clusters.join(' and ')} is killed.`);
      for (const name of clusters) await stage.fault('control-plane-lost', `${name}/${part}`);
      await stage.pause(1000);
    }
    for (const name of clusters) await untilPhases(stage, name, 'stale');
    const died = await Promise.all(clusters.map((name) => killPod(stage, name, 3000)));
    const stale = (await stage.agents()).map((agent) => sourceSinceMs(agent));
    expect(
      stale.every((since) => since !== undefined),
      'an agent does not say since when it is stale',
    );
    expect((await rackRoutes(stage)) === routes, 'routes changed while the control planes were away');
    stage.narrate('Both control planes come back.');
    // The control planes are mended side by side, because the board would heal one after the other.
    await Promise.all([...planes.values()].map((control) => control.mend()));
    await stage.heal('control-plane-lost');
    for (const name of clusters) await untilPhases(stage, name, 'live');
    await freezeControlPlanes(stage, clusters);
    const newPods = await addPodToEach(stage);
    return `agents said stale and held everything; ${died.join(' and ')} died and came back; afterwards ${newPods.join(', ')} serve`;
  },
};

function sourceSinceMs(agent: AgentView): number | undefined {
  const { source } = (agent.status ?? {}) as { readonly source?: { readonly sinceMs?: number } };
  return source?.sinceMs;
}

/**
 * Freezes the control planes: connections stay open and carry nothing. Agents cannot notice that for a minute or more, and need
 * not.
 */
async function freezeControlPlanes(stage: Stage, clusters: readonly string[]): Promise<void> {
  stage.narrate('Now they freeze: connections stay open, and nothing answers.');
  for (const name of clusters) await stage.fault('control-plane-lost', `${name}/frozen`);
  await Promise.all(clusters.map((name) => killPod(stage, name, 2000)));
  await stage.heal('control-plane-lost');
  for (const name of clusters) await untilPhases(stage, name, 'live');
}

/** Adds a pod to each cluster and waits until it serves, which proves the whole way from the scheduler to nginx. */
async function addPodToEach(stage: Stage): Promise<readonly string[]> {
  const from = stage.now();
  const pods = (await Promise.all([...stage.lab.clusters.values()].map((cluster) => cluster.scaleUp(1)))).flat();
  const names = pods.map(({ name }) => name);
  await stage.until(() => podsNotServing(stage, from, names));
  return names;
}

interface Snapshotting {
  readonly source?: { readonly servingSnapshot?: boolean };
}

async function waitForSnapshot(stage: Stage, blade: string, wanted: boolean): Promise<void> {
  await stage.until(async () => {
    const { status } = (await stage.agents()).find(({ server }) => server === blade) ?? {};
    const said = (status as Snapshotting | undefined)?.source?.servingSnapshot;
    return said === wanted ? undefined : `${blade} says servingSnapshot ${said ?? 'nothing'}`;
  });
}

export const bladeColdStart: Step = {
  name: 'blade-cold-start',
  explanation:
    'A blade loses its power while the kube-apiserver is away, and gets it back: agent, nginx and ExaBGP start without one. It serves from its last-good snapshot and announces the VIP; when the apiserver returns it goes live.',
  tolerance: { kind: 'recovers', withinMs: 3000 },
  async run(stage) {
    const { out, stays, vip, route } = parisVip(stage);
    const parts = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
    await untilHops(stage, route, [out.address, stays.address]);
    for (const part of parts) await stage.board.begin('control-plane-lost', `paris/${part}`);
    await stage.fault('blade-killed', out.name);
    await untilHops(stage, route, [stays.address]);
    stage.narrate(`${out.name} gets its power back; there is no kube-apiserver to ask.`);
    await stage.heal('blade-killed');
    await waitForSnapshot(stage, out.name, true);
    await untilHops(stage, route, [out.address, stays.address]);
    const pod = await waitUntilServedBy(stage, vip, out.address);
    stage.narrate(`${out.name} serves from its snapshot. The control plane comes back.`);
    await stage.heal('control-plane-lost');
    await untilPhases(stage, 'paris', 'live');
    await waitForSnapshot(stage, out.name, false);
    return `${out.name} announced ${route} and served (${pod}) from its snapshot, then went live`;
  },
};

/** Sends requests to the VIP until the blade with that address has served one. The router chooses a blade for each connection. */
async function waitUntilServedBy(stage: Stage, vip: string, blade: string): Promise<string> {
  const { namespace, address } = clientOf(stage.lab, 'FR');
  let pod = '';
  await stage.until(async () => {
    const answer = await requestFrom(stage.lab, namespace, {
      protocol: 'http',
      address: vip,
      host: application.host,
      source: address,
      path: '/blade-cold-start',
      timeoutMs: 2000,
    });
    expect(answer.ok, `the VIP does not serve: ${answer.ok ? '' : answer.reason}`);
    pod = answer.pod?.pod ?? '';
    return answer.pod?.peer === blade ? undefined : `${blade} has served nothing yet`;
  });
  return pod;
}
