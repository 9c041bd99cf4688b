/** Why a hop does not hold: what the reason means, and what a person can do about it. */
export const whyReasons = {
  AnswerDiffers: {
    meaning:
      'The name server answers with another cluster than the spec wants for this country, as health is seen from here.',
    fix: 'compare the zone with the spec: tideline steering plan; when it has no change, the checks of the DNS provider see another health than this machine',
  },
  AnswerForeign: {
    meaning: 'The name server answers with an address that is the entry of no cluster.',
    fix: 'look at the zone: tideline steering drift says what somebody edited, tideline steering plan lists records that are not ours',
  },
  AnswerEmpty: {
    meaning: 'The name server knows no address for the host.',
    fix: 'write the records: tideline steering plan, then tideline steering apply',
  },
  HealthFailing: {
    meaning: 'The entry address answers that the policy is not healthy there, so DNS leads users elsewhere.',
    fix: 'the reason of the blade says what is missing; ask tideline why blade NAME FOLDER',
  },
  EntrySilent: {
    meaning: 'The entry address does not answer a health check that is made from here.',
    fix: 'look whether the site has power and its uplinks; when users are served all the same, this machine cannot reach it',
  },
  VipUnserved: {
    meaning: 'No blade of the pool is fit to serve the VIP.',
    fix: 'ask tideline why blade NAME FOLDER for the blade that is nearest to being fit',
  },
  VipNotAnnounced: {
    meaning: 'No blade of the pool announces the VIP to a router.',
    fix: 'ask tideline why blade NAME FOLDER for each blade of the pool',
  },
  BladeSilent: {
    meaning: 'The agent of the blade does not answer here.',
    fix: 'look at the machine: power, network, and systemctl status tideline-edge-agent',
  },
  BladeDrained: {
    meaning: 'A Drain takes the blade out of service on purpose.',
    fix: 'when the work is done: tideline undrain blade NAME FOLDER --yes',
  },
  BladeUnfit: {
    meaning: 'The blade as a whole is unfit to serve.',
    fix: 'look at nginx on the blade: systemctl status tideline-nginx, nginx-error.log of the run directory',
  },
  VipUnfit: {
    meaning: 'The blade cannot serve the VIP.',
    fix: 'the reasons stand in src/planes/edge/reasons.ts; look at the addresses of lo and at nginx on the blade',
  },
  TableRefused: {
    meaning: 'nginx refused the newest routing table and serves the one before.',
    fix: 'the log of the edge agent has what nginx said',
  },
  SpecNotRead: {
    meaning: 'The newest platform spec does not load on the machine; the last good one is in force.',
    fix: 'tideline check on the folder of that machine',
  },
  ClusterNotRead: {
    meaning: 'The agent cannot read its cluster, or doubts what it reads; what it knew stays in force.',
    fix: 'look at the kube-apiserver or the folder that the agent reads; tideline check --cluster NAME says what an agent would miss',
  },
  HostUnknown: {
    meaning: 'No Ingress of the class of the pool serves the host.',
    fix: 'look at the Ingress: its host, and its class (spec.ingressClassName)',
  },
  PathUnknown: {
    meaning: 'The host is served, and none of its paths takes this one.',
    fix: 'add the path, or a defaultBackend, to the Ingress',
  },
  RuleRefused: {
    meaning: 'The rule is in the table only to answer 503.',
    fix: 'correct the Ingress; docs/reference/errors.md has the reason',
  },
  RulesDiffer: {
    meaning: 'Blades of one pool do not give the same answer for the host and path.',
    fix: 'ask again in a few seconds; when they still differ, tideline why blade NAME FOLDER says of each whether it is behind',
  },
  CertificateFaulty: {
    meaning: 'The certificate that the host is served with is one that browsers refuse.',
    fix: 'renew the certificate and put it into the Secret that spec.tls of the Ingress names',
  },
  ServiceMissing: {
    meaning: 'The Service of the rule, or its port, does not exist.',
    fix: 'create the Service with that port, or correct its name in the Ingress',
  },
  NoEndpoints: {
    meaning: 'The Service has no endpoint that may be asked.',
    fix: 'look at its pods and its selector: kubectl get endpointslices -l kubernetes.io/service-name=NAME',
  },
  NoReadyEndpoints: {
    meaning: 'No endpoint of the Service is ready; the unready ones are asked all the same.',
    fix: 'look at the readiness probes of its pods: kubectl describe pod',
  },
  AddressOutsideSites: {
    meaning: 'The prefixes of no Site hold the address, so nobody may announce it.',
    fix: 'correct the address, or add the prefix to the Site',
  },
  PodMissing: {
    meaning: 'The cluster lists no Pod with this address.',
    fix: 'the pod has ended, or has another address: kubectl get pods -A -o wide',
  },
  WorkerSilent: {
    meaning: 'The agent of the worker does not answer here.',
    fix: 'look at the machine: power, network, and systemctl status tideline-network-agent',
  },
  WorkerHolds: {
    meaning: 'The worker knows too little to change its routes: they stay as they are.',
    fix: 'the reason stands in src/planes/network/reasons.ts',
  },
  WorkerDrained: {
    meaning: 'A Drain takes the worker out of service on purpose: it announces no pods.',
    fix: 'when the work is done: tideline undrain worker NAME FOLDER --yes',
  },
  RouteMissing: {
    meaning: 'No server announces a route to the address or prefix.',
    fix: 'look whether a block of Calico holds it (kubectl get ipamblocks), and at refusals in the /status of the worker',
  },
  RouteElsewhere: {
    meaning: 'The longest route to the address leads to another worker than the one that has the Pod.',
    fix: 'look at refusals in the /status of the worker that has the Pod: it should announce the address as a host route',
  },
  RouteRefused: {
    meaning: 'The server that has the prefix does not announce it.',
    fix: 'the reason is one of src/planes/network/reasons.ts or src/bgp/reasons.ts',
  },
  BlackholeMissing: {
    meaning: 'The kernel of the worker lacks the blackhole under the block; a block is announced only after it.',
    fix: 'look at ip route show table main on the worker, and remove what has the place of the blackhole',
  },
  KernelShadows: {
    meaning: 'A route or rule of another program takes packets to the block.',
    fix: 'on the worker: ip route del, or ip rule del pref, with what the message names',
  },
  ExabgpSilent: {
    meaning: 'ExaBGP, or the relay under it, does not answer; routers drop the routes of the server.',
    fix: 'look at systemctl status tideline-exabgp on the server',
  },
  SessionsDown: {
    meaning: 'The server has no BGP session that carries the route.',
    fix: 'look at the router, and at the link between it and the server',
  },
} as const satisfies Readonly<Record<string, { readonly meaning: string; readonly fix: string }>>;

export type WhyReason = keyof typeof whyReasons;
