import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority } from '../../../lab/control-plane/pki/certificate.ts';

/** What a test does to a running lab. */
export interface Stage {
  /** Begins a fault of the lab; resolves with the time at which it began, in milliseconds since the epoch. */
  readonly fault: (name: string, target: string) => Promise<number>;
  readonly heal: () => Promise<void>;
  /** Runs a command on a machine. */
  readonly inside: (machine: string, ...words: readonly string[]) => Promise<void>;
  /** The folder of the platform spec, with the manifests of the clusters. */
  readonly platform: string;
}

/** Something that goes wrong on a platform, and what an operator must read then, who is told nothing but where to look. */
export interface Trouble {
  readonly what: string;
  /** Resolves with the time at which it began, in milliseconds since the epoch. */
  readonly begin: (stage: Stage) => Promise<number>;
  readonly end: (stage: Stage) => Promise<void>;
  /** What the first line of `tideline status` says. */
  readonly status: RegExp;
  /** The question of `tideline why`, without its name servers. */
  readonly why: readonly string[];
  /** Hop, reason, subject and text of the first hop that does not hold. */
  readonly hop: RegExp;
  /** What both must name: the object, and the cause. */
  readonly cause: readonly RegExp[];
  /** The first line must be there after so many seconds; more than five only where nobody can know it sooner, for this reason. */
  readonly withinS: number;
  readonly because?: string;
  /** The alerts that fire in the end, where they are waited for. */
  readonly alerts?: readonly string[];
}

type Act = Pick<Trouble, 'begin' | 'end'>;

const byFault = (name: string, target: string): Act => ({
  begin: (stage) => stage.fault(name, target),
  end: (stage) => stage.heal(),
});

/** An edit of a manifest, as a person with kubectl makes it; its end puts back what was there. */
function byEdit(file: string, change: (text: string) => string): Act {
  let before = '';
  return {
    async begin({ platform }) {
      const path = join(platform, file);
      before = await readFile(path, 'utf8');
      const after = change(before);
      if (after === before) throw new Error(`the edit changes nothing in ${file}`);
      const atMs = Date.now();
      await writeFile(path, after);
      return atMs;
    },
    end: ({ platform }) => writeFile(join(platform, file), before),
  };
}

/** Another program takes the packets to a block. */
const foreignRoute: Act = {
  async begin({ inside }) {
    const atMs = Date.now();
    await inside('paris-worker-1', 'ip', 'route', 'add', '10.10.1.0/26', 'via', '10.1.0.1', 'metric', '5');
    return atMs;
  },
  end: ({ inside }) => inside('paris-worker-1', 'ip', 'route', 'del', '10.10.1.0/26', 'metric', '5'),
};

/** The certificate of the host becomes one that ended half a minute ago. */
function expired(text: string): string {
  const authority = createAuthority('lab');
  const hosts = ['www.video.example'];
  const { certificate, key } = authority.issue({ commonName: 'www.video.example', hosts, validSeconds: -30 });
  const base64 = (pem: string): string => Buffer.from(pem, 'utf8').toString('base64');
  return text
    .replace(/(tls\.crt:)[^:]*(?=\n +tls\.key)/, `$1 ${base64(certificate)}`)
    .replace(/(tls\.key:)[\s\S]*$/, `$1 ${base64(key)}\n`);
}

const blade = ['blade', 'paris-blade-1'];
const pod = ['pod', '10.10.1.1'];
const host = ['host', 'www.video.example'];
const silent = /cannot be reached|does not answer/;

export const troubles: readonly Trouble[] = [
  {
    what: 'a site is lost',
    ...byFault('cluster-lost', 'paris'),
    status: /OUTAGE: site paris is silent as seen from here/,
    why: ['country', 'FR'],
    hop: /^health EntrySilent cluster paris /,
    cause: [/paris/, /none of its 4 agents answers/],
    withinS: 5,
    alerts: ['TidelineAgentDown', 'TidelineAgentsGone', 'TidelineBladesGone'],
  },
  {
    what: 'a blade loses its power',
    ...byFault('blade-killed', 'paris-blade-1'),
    status: /FAULT: paris-blade-1 /,
    why: blade,
    hop: /^blade BladeSilent paris-blade-1 /,
    cause: [/paris-blade-1/, silent],
    withinS: 5,
    alerts: ['TidelineAgentDown'],
  },
  {
    what: 'a worker loses its power',
    ...byFault('worker-killed', 'paris-worker-1'),
    status: /FAULT: paris-worker-1 /,
    why: pod,
    hop: /^worker WorkerSilent paris-worker-1 /,
    cause: [/paris-worker-1/, silent],
    withinS: 5,
  },
  {
    what: 'what a cluster says is gone',
    ...byFault('input-lost', 'paris/vanished'),
    status: /FAULT: cluster paris is read by none of its 4 agents/,
    why: host,
    hop: /^cluster ClusterNotRead cluster paris /,
    cause: [/cluster paris/, /SourceMissing/],
    withinS: 5,
    alerts: ['TidelineSourceStale'],
  },
  {
    what: 'what a cluster says is garbage',
    ...byFault('input-lost', 'paris/garbage'),
    status: /FAULT: cluster paris is read by none of its 4 agents/,
    why: blade,
    hop: /^cluster ClusterNotRead cluster paris .*BadYaml/,
    cause: [/cluster paris/, /SourceUnreadable/],
    withinS: 5,
  },
  {
    what: 'the agent of a blade is stopped',
    ...byFault('program-stopped', 'paris-blade-1/edge-agent'),
    status: /FAULT: paris-blade-1 /,
    why: blade,
    hop: /^blade BladeSilent paris-blade-1 /,
    cause: [/paris-blade-1/, /has no agent that listens/],
    withinS: 5,
  },
  {
    what: 'the agent of a worker hangs',
    ...byFault('program-frozen', 'paris-worker-1/network-agent'),
    status: /FAULT: paris-worker-1 /,
    why: pod,
    hop: /^worker WorkerSilent paris-worker-1 /,
    cause: [/paris-worker-1/, /does not answer within/],
    withinS: 5,
  },
  {
    what: 'nginx of a blade is stopped',
    ...byFault('program-stopped', 'paris-blade-1/nginx'),
    status: /FAULT: paris-blade-1 is unfit/,
    why: blade,
    hop: /^nginx BladeUnfit paris-blade-1 /,
    cause: [/paris-blade-1/, /NginxUnreachable/],
    withinS: 5,
  },
  {
    what: 'nginx of a blade hangs',
    ...byFault('program-frozen', 'paris-blade-1/nginx'),
    status: /FAULT: paris-blade-1 is unfit/,
    why: blade,
    hop: /^nginx BladeUnfit paris-blade-1 /,
    cause: [/paris-blade-1/, /NginxUnreachable/],
    withinS: 5,
  },
  {
    what: 'ExaBGP of a blade is stopped',
    ...byFault('program-stopped', 'paris-blade-1/exabgp'),
    status: /FAULT: paris-blade-1 has no ExaBGP that answers/,
    why: blade,
    hop: /^session ExabgpSilent paris-blade-1 /,
    cause: [/paris-blade-1/, /disconnected/],
    withinS: 5,
  },
  {
    what: 'ExaBGP of a worker hangs',
    ...byFault('program-frozen', 'paris-worker-1/exabgp'),
    status: /FAULT: paris-worker-1 has no ExaBGP that answers/,
    why: pod,
    hop: /^session ExabgpSilent paris-worker-1 /,
    cause: [/paris-worker-1/, /exabgpSilent/],
    withinS: 13,
    because:
      'the relay asks ExaBGP every two seconds and waits six for an answer, because ExaBGP is that slow while it takes many routes',
  },
  {
    what: 'a router shuts the session of a worker',
    ...byFault('session-shut', 'paris-tor/paris-worker-1'),
    status: /FAULT: paris-worker-1 has no BGP session .*, since \d\d:\d\d:\d\dZ/,
    why: pod,
    hop: /^session SessionsDown paris-worker-1 /,
    cause: [/paris-worker-1/, /10\.1\.0\.1: .*Administrative Shutdown/],
    withinS: 5,
  },
  {
    what: 'a route of another program takes the packets to a block',
    ...foreignRoute,
    status: /FAULT: paris-worker-1 sends packets to 10\.10\.1\.0\/26 elsewhere/,
    why: ['route', '10.10.1.0/26'],
    hop: /^kernel KernelShadows paris-worker-1 /,
    cause: [/paris-worker-1/, /10\.10\.1\.0\/26 elsewhere/, /RouteShadows/],
    withinS: 5,
  },
  {
    what: 'a Service loses its endpoints',
    ...byEdit('clusters/paris/pods.yaml', (text) =>
      text.replace(/\nendpoints:\n[\s\S]*?\nports:/, '\nendpoints: []\nports:'),
    ),
    status: /OUTAGE: cluster paris is not healthy for policy video: no endpoint of Service video\/web is ready/,
    why: host,
    hop: /^endpoints NoEndpoints video\/web /,
    cause: [/video\/web/, /no endpoint/],
    withinS: 5,
  },
  {
    what: 'a certificate ends',
    ...byEdit('clusters/paris/video.yaml', expired),
    status: /FAULT: Ingress\/video\/web of cluster paris /,
    why: host,
    hop: /^certificate CertificateFaulty Ingress\/video\/web /,
    cause: [/Ingress\/video\/web/, /CertificateExpired/],
    withinS: 5,
  },
];
