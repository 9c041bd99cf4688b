import { unnoticed } from '../../demo/step.ts';
import { application, replicas } from '../objects.ts';
import { podsOf, untilReady } from '../pods.ts';
import type { FleetStage } from '../stage.ts';
import type { FleetStep } from '../step.ts';

/** Half as many pods again, so that the new worker gets some. */
const more = replicas + replicas / 2;

export const workerAdded: FleetStep = {
  name: 'worker-added',
  explanation:
    'A third server comes: a Server more in the spec, and `tideline fleet add`. It gets its keys, its certificate, its document; then it takes pods, and the client is answered by them.',
  tolerance: unnoticed,
  async run(stage) {
    const { world } = stage;
    await world.change({ workers: world.shape.workers + 1 });
    const name = `par-worker-${world.shape.workers}`;
    await world.bootMinion(name);
    await stage.fleet('add', name);
    await world.fleet.importImages(name);
    await world.admin.kubectl(['scale', `deployment/${application}`, `--replicas=${more}`]);
    await untilReady(stage, more);
    const own = (await podsOf(stage)).filter(({ node }) => node === name).map(({ name: pod }) => pod);
    stage.expect(own.length > 0, `no pod is on ${name}`);
    await untilServedBy(stage, own);
    return `${name} runs ${own.length} of ${more} pods, and each of them has answered the client`;
  },
};

async function untilServedBy(stage: FleetStage, pods: readonly string[]): Promise<void> {
  const fromMs = stage.now();
  await stage.until(() => {
    const seen = stage.accountSince(fromMs).pods;
    const missing = pods.filter((pod) => !seen.has(pod));
    return missing.length === 0 ? undefined : `no answer yet from ${missing.join(', ')}`;
  });
}
