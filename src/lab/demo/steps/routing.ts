import { application } from '../../cluster/objects.ts';
import { clientOf, directPodRequest, requestFrom } from '../../observe/probe.ts';
import type { Stage } from '../stage.ts';
import { type Step, unnoticed } from '../step.ts';
import { expect } from '../unmet.ts';

/** A country whose users are on the other side of the ocean. */
const farFrom: Readonly<Record<string, string>> = { paris: 'US', newyork: 'FR' };

export const podsRoutable: Step = {
  name: 'pods-routable',
  explanation:
    'Every worker announces the Calico blocks of its pods by BGP, so any pod is reachable from anywhere. A user on another continent asks one pod of each worker by its own address.',
  tolerance: unnoticed,
  async run(stage) {
    const reached: string[] = [];
    for (const [cluster, { datacentre, pods }] of stage.lab.clusters) {
      const country = farFrom[cluster] ?? 'FR';
      const { address } = clientOf(stage.lab, country);
      for (const worker of datacentre.workers) {
        const pod = pods.find(({ node }) => node === worker.name);
        expect(pod !== undefined, `${worker.name} has no pod`);
        const result = await directPodRequest(stage.lab, country, pod);
        expect(result.ok, `${country} cannot reach ${pod.name} at ${pod.address}: ${result.ok ? '' : result.reason}`);
        expect(result.pod?.pod === pod.name, `${pod.address} is ${result.pod?.pod}, not ${pod.name}`);
        expect(result.pod.peer === address, `${pod.name} saw ${result.pod.peer}, not the client ${address}`);
        reached.push(`${country} ${address} -> ${pod.name} ${pod.address}`);
      }
    }
    return `each pod saw the client's own address: ${reached.join('; ')}`;
  },
};

export const ingressDirect: Step = {
  name: 'ingress-direct',
  explanation:
    "A request to the VIP goes through one blade's nginx and straight to a pod: the pod's peer is the blade itself. No NodePort, no kube-proxy, no address translation on the way.",
  tolerance: unnoticed,
  async run(stage) {
    const seen: string[] = [];
    for (const [cluster, { datacentre }] of stage.lab.clusters) {
      const country = farFrom[cluster] ?? 'FR';
      const { namespace, address } = clientOf(stage.lab, country);
      const blades = datacentre.blades.map((blade) => blade.address);
      for (const vip of datacentre.vips) {
        const result = await requestFrom(stage.lab, namespace, {
          protocol: 'http',
          address: vip,
          host: application.host,
          source: address,
          path: '/ingress-direct',
          timeoutMs: 2000,
        });
        expect(
          result.ok && result.pod !== undefined,
          `${country} got nothing from ${vip}: ${result.ok ? result.status : result.reason}`,
        );
        const { pod, peer, forwardedFor } = result.pod;
        expect(blades.includes(peer), `the peer of ${pod} was ${peer}, not a blade (${blades.join(', ')})`);
        expect(forwardedFor === address, `${pod} was told of client ${forwardedFor}, not ${address}`);
        seen.push(`${country} -> ${vip} -> ${peer} -> ${pod}`);
      }
    }
    await expectNoTranslation(stage);
    return `${seen.join('; ')}; no packet filter or translation rule on any server or router`;
  },
};

/** Neither nftables nor iptables rules (which kube-proxy and NAT would need) on any machine of the data centres. */
async function expectNoTranslation(stage: Stage): Promise<void> {
  for (const { router, workers, blades } of stage.lab.world.datacentres) {
    for (const { name } of [router, ...workers, ...blades]) {
      const rules = (await stage.lab.network.exec(name, 'nft', 'list', 'ruleset')).trim();
      expect(rules === '', `${name} has packet filter rules: ${rules.slice(0, 200)}`);
    }
  }
}
