import type { Gate } from '../handlers.ts';
import type { GateName } from '../steps.ts';
import type { FleetWorld } from '../world.ts';
import { apiReady } from './api-ready.ts';
import { edgeFit } from './edge-fit.ts';
import { errorRate } from './error-rate.ts';
import { etcdHealthy } from './etcd-healthy.ts';
import { etcdSpares } from './etcd-spares.ts';
import { nodesReady } from './nodes-ready.ts';
import { podsRunning } from './pods-running.ts';
import { vipHeld } from './vip-held.ts';

/** Every gate, for runs in this world. */
export function gatesOf(world: FleetWorld): Readonly<Record<GateName, Gate>> {
  return {
    EtcdHealthy: etcdHealthy(world),
    EtcdSpares: etcdSpares(world),
    ApiReady: apiReady(world),
    VipHeld: vipHeld(world),
    NodesReady: nodesReady(world),
    PodsRunning: podsRunning(world),
    EdgeFit: edgeFit(world),
    ErrorRate: errorRate(world),
  };
}
