import type { LabPod } from '../../clusters/objects.ts';
import { clientOf, directPodRequest, requestFrom } from '../../observe/probe.ts';
import { application } from '../../world/application.ts';
import type { Datacentre } from '../../world/topology.ts';
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
        await stage.until(() => podProblem(stage, country, pod));
        reached.push(`${country} ${address} -> ${pod.name} ${pod.address}`);
      }
    }
    return `each pod saw the client's own address: ${reached.join('; ')}`;
  },
};

/** Sends a request to the pod's own address; resolves with what is wrong with the answer, if anything. */
async function podProblem(stage: Stage, country: string, pod: LabPod): Promise<string | undefined> {
  const { address } = clientOf(stage.lab, country);
  const result = await directPodRequest(stage.lab, country, pod);
  if (!result.ok) return `${country} cannot reach ${pod.name} at ${pod.address}: ${result.reason}`;
  if (result.pod?.pod !== pod.name) return `${pod.address} is ${result.pod?.pod}, not ${pod.name}`;
  if (result.pod.peer !== address) return `${pod.name} saw ${result.pod.peer}, not the client ${address}`;
  return undefined;
}

export const ingressDirect: Step = {
  name: 'ingress-direct',
  explanation:
    "A request to the VIP goes through one blade's nginx and straight to a pod: the pod's peer is the blade itself. No NodePort, no kube-proxy, no address translation on the way.",
  tolerance: unnoticed,
  async run(stage) {
    const seen: string[] = [];
    for (const [cluster, { datacentre }] of stage.lab.clusters) {
      const country = farFrom[cluster] ?? 'FR';
      for (const vip of datacentre.vips) {
        // Each VIP is announced independently of the others, as soon as a blade is fit for it.
        let way = '';
        await stage.until(async () => {
          const asked = await requestThroughVip(stage, datacentre, country, vip);
          if ('wrong' in asked) return asked.wrong;
          way = asked.way;
          return undefined;
        });
        seen.push(way);
      }
    }
    await expectNoTranslation(stage);
    return `${seen.join('; ')}; no packet filter or translation rule on any server or router`;
  },
};

/** Sends a request to a VIP; resolves with the path that it took, or with what is wrong with it. */
async function requestThroughVip(
  stage: Stage,
  { blades }: Datacentre,
  country: string,
  vip: string,
): Promise<{ readonly way: string } | { readonly wrong: string }> {
  const { namespace, address } = clientOf(stage.lab, country);
  const result = await requestFrom(stage.lab, namespace, {
    protocol: 'http',
    address: vip,
    host: application.host,
    source: address,
    path: '/ingress-direct',
    timeoutMs: 2000,
  });
  if (!result.ok || result.pod === undefined)
    return { wrong: `${country} got nothing from ${vip}: ${result.ok ? result.status : result.reason}` };
  const { pod, peer, forwardedFor } = result.pod;
  const own = blades.map((blade) => blade.address);
  if (!own.includes(peer)) return { wrong: `the peer of ${pod} was ${peer}, not a blade (${own.join(', ')})` };
  if (forwardedFor !== address) return { wrong: `${pod} was told of client ${forwardedFor}, not ${address}` };
  return { way: `${country} -> ${vip} -> ${peer} -> ${pod}` };
}

/** Throws Unmet when a machine of the data centres has nftables or iptables rules, which kube-proxy and NAT would need. */
async function expectNoTranslation(stage: Stage): Promise<void> {
  for (const { router, workers, blades } of stage.lab.world.datacentres) {
    for (const { name } of [router, ...workers, ...blades]) {
      const rules = (await stage.lab.network.exec(name, 'nft', 'list', 'ruleset')).trim();
      expect(rules === '', `${name} has packet filter rules: ${rules.slice(0, 200)}`);
    }
  }
}
