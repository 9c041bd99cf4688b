import { unnoticed } from '../../demo/step.ts';
import { edgeVip } from '../../fleet/spec.ts';
import { ingress, replicas, service } from '../objects.ts';
import type { FleetStep } from '../step.ts';

export const edgeServes: FleetStep = {
  name: 'edge-serves',
  explanation:
    'A Service and an Ingress. The blade, made by its documents as the other servers were, reads them from the API and sends what the client asks of the VIP to the pods themselves.',
  tolerance: unnoticed,
  async run(stage) {
    const { world } = stage;
    await world.admin.apply([service, ingress]);
    await stage.until(async () => {
      const routes = await world.routes(`${edgeVip}/32`);
      return routes.trim() === '' ? `the router has no route to ${edgeVip}` : undefined;
    });
    await stage.until(async () => ((await world.ask(edgeVip)) === '' ? 'the VIP answers with nothing' : undefined));
    world.startClient();
    await stage.untilAnsweredBy(replicas, stage.now());
    await stage.pause(5000);
    return `the client asks ${edgeVip} and is answered by all ${replicas} pods`;
  },
};
