import { unnoticed } from '../../demo/step.ts';
import { prefixes, serversOf } from '../../fleet/spec.ts';
import { budget, deployment, replicas } from '../objects.ts';
import { podsOf, untilReady } from '../pods.ts';
import type { FleetStep } from '../step.ts';

export const clusterMade: FleetStep = {
  name: 'cluster-made',
  explanation:
    'Bare servers with a systemd and a Salt minion, and nothing else. The operator types `tideline fleet plan` and `apply`: authorities are made, keys come from the servers, and Salt makes every document true, wave by wave.',
  tolerance: unnoticed,
  async run(stage) {
    const { world } = stage;
    await world.boot();
    await stage.told(async (operator) => {
      await operator.compile();
      await operator.kubeconfig('--create-authorities');
    });
    await stage.fleet();
    const workers = serversOf(world.shape).filter(({ roles }) => roles.includes('worker'));
    await Promise.all(workers.map(async ({ name }) => await world.fleet.importImages(name)));
    await world.useKubectl();
    const nodes = (await world.admin.kubectl(['get', 'nodes', '-o', 'name'])).trim().split('\n');
    stage.expect(nodes.length === workers.length, `the nodes are ${nodes.join(', ')}`);
    const again = await world.operator.plan();
    stage.expect(again.printed.includes('nothing changes'), `a plan after it says: ${again.printed}`);
    return `${world.fleet.servers.size} servers became a cluster with ${nodes.join(', ')}; a second plan has nothing to do`;
  },
};

export const podsReached: FleetStep = {
  name: 'pods-reached',
  explanation:
    'A Deployment. Its pods get addresses of blocks that Calico gives to workers and our network agents announce; a client behind the router asks each pod at its own address.',
  tolerance: unnoticed,
  async run(stage) {
    const { world } = stage;
    await world.admin.apply([deployment, budget]);
    await untilReady(stage, replicas);
    const pods = await podsOf(stage);
    for (const { name, address } of pods)
      await stage.until(async () => {
        const answer = await world.ask(address);
        return answer === name ? undefined : `${address} answers ${answer}, not ${name}`;
      });
    const blocks = [...(await world.routes(prefixes.pods)).matchAll(/(\S+\/26) via (\S+)/g)];
    const seen = blocks.map(([, block, hop]) => `${block} by ${hop}`).join(', ');
    return `${pods.length} pods answer at their own addresses; the router has ${seen}`;
  },
};
