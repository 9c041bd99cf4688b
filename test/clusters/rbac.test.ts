import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../lab/control-plane/control-plane.ts';
import { type Daemon, startDaemon } from '../../lab/daemons/process.ts';
import { apiGroup, apiVersion } from '../../src/model/contract.ts';
import type { EdgeStatus, NetworkStatus } from '../../src/model/status.ts';
import type { Finding } from '../../src/preflight/finding.ts';
import { ingressAddresses } from '../support/clusters/ingress-status.ts';
import { videoIngress } from '../support/clusters/objects.ts';
import { compileCache } from '../support/compile-cache.ts';
import { type PodSpec, podAsUnit } from '../support/deploy/pod.ts';
import {
  denied,
  type Grant,
  grantsOf,
  grantText,
  type Rule,
  rulesOf,
  used,
  without,
} from '../support/deploy/rights.ts';
import { addresses, block, Paris, platform, tideline } from '../support/deploy/world.ts';
import type { Machine } from '../support/systemd/machine.ts';
import { until } from '../support/systemd/rack.ts';

const vip = '192.0.2.10';
const paris = new Paris();
let blade: Machine;
let worker: Machine;
const rules: Record<'edge' | 'network' | 'check' | 'lease', readonly Rule[]> = {
  edge: [],
  network: [],
  check: [],
  lease: [],
};

const edge = async (): Promise<EdgeStatus> =>
  JSON.parse(await paris.rack.get(addresses.blade, 9464, '/status')) as EdgeStatus;
const ofGroup = (group: string): Promise<readonly AuditEvent[]> =>
  paris.plane.audit(({ groups }) => groups.includes(`tideline:${group}`));
const journal = (): Promise<string> => blade.journal('tideline-edge-agent');
const leaseOf = async (): Promise<string> =>
  (
    await paris.plane.kubectl(['-n', 'tideline-system', 'get', 'leases', '-o', 'jsonpath={.items[*].metadata.name}'])
  ).trim();

beforeAll(async () => {
  await paris.start();
  const { plane } = paris;
  for (const role of ['edge', 'network', 'check'] as const)
    rules[role] = await rulesOf(plane, 'clusterrole', `tideline-${role}`);
  rules.lease = await rulesOf(plane, '-n', 'tideline-system', 'role', 'tideline-edge');
  [blade, worker] = await Promise.all([
    paris.bootServer('blade', 'paris-blade-1.kubeconfig'),
    paris.bootServer('worker', 'paris-worker-1.kubeconfig'),
  ]);
});
afterAll(() => paris.stop());

describe('with exactly these rights', () => {
  it('the blade serves and tells the cluster', async () => {
    await until('the VIP is announced', async () => (await edge()).vips[0]?.announced === true, journal);
    expect((await edge()).source).toMatchObject({ phase: 'live', servingSnapshot: false });
    await until(
      'the Ingress has the VIP',
      async () => (await ingressAddresses(paris.plane, 'web')).includes(vip),
      journal,
    );
    await paris.plane.apply(videoIngress('second', 'www.video.example'));
    await until('the Ingress that lost has an Event', async () => (await eventsOf('second')).length > 0, journal);
    await until('the pool has its conditions', async () => (await poolStatus()).includes('conditions'), journal);
  });

  it('the worker announces its block', async () => {
    await until(
      'the block is in the router',
      async () => (await paris.rack.routes()).includes(block),
      () => worker.journal('tideline-network-agent'),
    );
  });

  it('the worker obeys a Drain in the API, and ends it with the object', async () => {
    const spec = {
      target: { kind: 'Worker', name: 'paris-worker-1' },
      reason: 'disk',
      expires: '2099-01-01T00:00:00Z',
    };
    await paris.plane.apply({ apiVersion, kind: 'Drain', metadata: { name: 'maintenance' }, spec });
    const said = () => worker.journal('tideline-network-agent');
    await until('the block has left', async () => !(await paris.rack.routes()).includes(block), said);
    const empty = ['get', 'drain', 'maintenance', '-o', 'jsonpath={.status.conditions[?(@.type=="Empty")].status}'];
    // The blade reads the Node and asks the agent of the worker; `Unknown` where that one does not answer it.
    await until('the blade has asked', async () => /^(True|Unknown)$/.test(await paris.plane.kubectl(empty)), journal);
    await paris.plane.kubectl(['delete', 'drain', 'maintenance']);
    await until('the block is back', async () => (await paris.rack.routes()).includes(block), said);
  });

  it('the preflight looks', async () => {
    const kubeconfig = join(paris.folder, 'operator.kubeconfig');
    const command = `${tideline} check --output json --cluster paris --kubeconfig ${kubeconfig} ${platform}`;
    const { findings } = JSON.parse(await paris.administrator.sh(`${command} || true`)) as {
      readonly findings: readonly Finding[];
    };
    const of = (check: string): readonly string[] =>
      findings.filter((finding) => finding.check === check).map(({ state }) => state);
    expect(['api-credentials', 'rights-edge', 'rights-network', 'rights-excess'].flatMap(of)).toEqual(
      Array(4).fill('ok'),
    );
    expect(['namespace', 'ingress-class'].flatMap(of)).toEqual(['ok', 'ok']);
    expect(findings.filter(({ state, reason }) => state === 'unknown' || reason === 'RightMissing')).toEqual([]);
  });

  it.each(['edge', 'network', 'check'])('%s is denied nothing', async (group) => {
    const events = await ofGroup(group);
    expect(events.length).toBeGreaterThan(3);
    expect(denied(events)).toEqual([]);
  });

  it('uses everything that was granted', async () => {
    // The right to patch Events is tested in test/clusters/status.test.ts, because the count of an Event is raised after ten
    // minutes at the earliest.
    const later = new Set(['patch events.k8s.io/events']);
    // A cluster has only one of Calico's two groups.
    const granted = [
      ...grantsOf(rules.edge).filter((grant) => !later.has(grantText(grant))),
      ...grantsOf(rules.lease),
      ...grantsOf(rules.network),
      ...grantsOf(rules.check).filter(({ apiGroup }) => apiGroup !== 'projectcalico.org'),
    ].map(grantText);
    const seen = used([...(await ofGroup('edge')), ...(await ofGroup('network')), ...(await ofGroup('check'))]);
    expect(granted.filter((text) => !seen.has(text))).toEqual([]);
  });
});

describe('the DaemonSet', () => {
  /** The unit for the worker's Pod as the API server has it, with what a kubelet would add. */
  const unit = async (capabilities?: readonly string[]): Promise<string> => {
    const get = async (...what: readonly string[]): Promise<unknown> =>
      JSON.parse(await paris.plane.kubectl(['-n', 'tideline-system', 'get', ...what, '-o', 'json']));
    const { spec } = (
      (await get('daemonset', 'tideline-network')) as {
        readonly spec: { readonly template: { readonly spec: PodSpec } };
      }
    ).spec.template;
    const { data: platformFiles } = (await get('configmap', 'tideline-platform')) as {
      readonly data: Record<string, string>;
    };
    const token = await paris.plane.kubectl(['-n', 'tideline-system', 'create', 'token', 'tideline-network']);
    const tokens = '/var/run/secrets/kubernetes.io/serviceaccount';
    const files = {
      [`${tokens}/token`]: token,
      [`${tokens}/ca.crt`]: await readFile(paris.plane.authority, 'utf8'),
      ...Object.fromEntries(
        Object.entries(platformFiles).map(([name, text]) => [`/etc/tideline/platform/${name}`, text]),
      ),
    };
    const env = {
      NODE_NAME: 'paris-worker-1',
      CLUSTER: 'paris',
      KUBERNETES_SERVICE_HOST: '10.1.0.1',
      KUBERNETES_SERVICE_PORT: '6443',
    };
    const text = await podAsUnit(worker, spec, { env, files });
    return capabilities === undefined
      ? text
      : text.replace(/^CapabilityBoundingSet=.*$/m, `CapabilityBoundingSet=${capabilities.join(' ')}`);
  };
  const restartAs = async (text: string): Promise<void> => {
    await writeFile(join(worker.shared, 'pod.service'), text);
    await worker.sh(`
      cp /mnt/pod.service /etc/systemd/system/; systemctl daemon-reload
      systemctl stop pod tideline-network-agent; ip route flush proto 114; systemctl start pod`);
  };
  const said = (): Promise<string> => worker.journal('pod');
  /** The Pod's agent listens at the loopback address, the unit's at the server's. */
  const network = async (address = '127.0.0.1'): Promise<NetworkStatus> =>
    JSON.parse(await worker.sh(`curl -s --max-time 5 ${address}:9463/status`)) as NetworkStatus;

  it('does the work with the rights of its ServiceAccount and the capabilities of its Pod', async () => {
    await paris.administrator.run('cluster.md', 'The network agent inside the cluster');
    await restartAs(await unit());
    await until(
      'the block has its blackhole and is announced',
      async () =>
        (await network()).blackholes.installed.includes(block) &&
        (await network()).announced.some(({ prefix }) => prefix === block),
      said,
    );
    const events = await paris.plane.audit(
      ({ user }) => user === 'system:serviceaccount:tideline-system:tideline-network',
    );
    expect(events.length).toBeGreaterThan(7);
    expect(denied(events)).toEqual([]);
    const seen = used(events);
    expect(
      grantsOf(rules.network)
        .map(grantText)
        .filter((text) => !seen.has(text)),
    ).toEqual([]);
  });

  it.each([
    ['CAP_NET_ADMIN', async () => (await network()).relay !== 'synced'],
    ['CAP_DAC_OVERRIDE', async () => (await network()).refusals.some(({ reason }) => reason.includes('Blackhole'))],
  ] as const)('does not with %s alone', async (capability, broken) => {
    await restartAs(await unit([capability]));
    await until('the agent says so', broken, said);
  });

  it('gives way to the unit of the server', async () => {
    await worker.sh('systemctl stop pod; systemctl start tideline-network-agent');
    await until('it announces', async () => (await network(addresses.worker)).announced.length > 1, said);
  });
});

/** The rights of an agent to read. */
const reads = (of: 'edge' | 'network'): readonly Grant[] =>
  grantsOf(rules[of]).filter(({ verb }) => verb === 'list' || verb === 'watch');

describe('with one right to read less, the agent says which', () => {
  it('edge', () => missed('edge', ['--pool', 'paris-edge', '--blade', 'paris-blade-1']));
  it('network', () => missed('network', ['--cluster', 'paris', '--node', 'paris-worker-1']));
});

/** Starts an agent for each right that can be taken away, some at a time, and waits until each has named what it misses. */
async function missed(agent: 'edge' | 'network', args: readonly string[]): Promise<void> {
  const grants = reads(agent);
  expect(grants.length).toBeGreaterThan(7);
  const left = grants.map((grant, index) => ({ grant, port: 9500 + index }));
  const next = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift())
      await missedOne(agent, args, one.grant, one.port);
  };
  await Promise.all([next(), next(), next()]);
}

async function missedOne(
  agent: 'edge' | 'network',
  args: readonly string[],
  grant: Grant,
  port: number,
): Promise<void> {
  const name = `${agent}-${port}`;
  const kubeconfig = await paris.kubeconfigWith(name, without(rules[agent], grant));
  const runDir = join(paris.folder, name);
  const daemon = startDaemon({
    network: paris.rack.network,
    namespace: 'tor',
    command: tideline,
    args: [agent, 'agent', '--platform', platform, '--run-dir', runDir, '--kubeconfig', kubeconfig, ...args].concat([
      '--metrics-address',
      `10.1.0.1:${port}`,
    ]),
    logFile: join(paris.folder, `${name}.log`),
    env: { NODE_COMPILE_CACHE: compileCache },
  });
  try {
    // The platform spec in the API has a source of its own.
    const source = async () => {
      const status = JSON.parse(await paris.rack.get('10.1.0.1', port, '/status')) as NetworkStatus;
      return grant.apiGroup === apiGroup ? status.platform.apis?.[0] : status.source;
    };
    const [resource = ''] = grant.resource.split('/');
    await until(
      `${agent} without ${grantText(grant)} says so`,
      async () => {
        const now = await source();
        const text = JSON.stringify(now);
        return now?.phase !== 'live' && text.includes('SourceForbidden') && text.includes(resource);
      },
      async () => `${JSON.stringify(await source())} ${daemon.logFile}`,
    );
  } finally {
    await end(daemon);
  }
}

const end = async (daemon: Daemon): Promise<void> => {
  daemon.kill('SIGKILL');
  await daemon.exited;
};

describe('with one right to write less, the leader says which', () => {
  /** Runs `act` while the role lacks this right, until a metric or a log line reports that. */
  const lacking = async (
    role: readonly string[],
    all: readonly Rule[],
    grant: string,
    act: () => Promise<unknown>,
    told: () => Promise<boolean>,
  ): Promise<void> => {
    const taken = grantsOf(all).find((one) => grantText(one) === grant);
    if (taken === undefined) throw new Error(`not granted: ${grant}`);
    const replace = (next: readonly Rule[]): Promise<string> =>
      paris.plane.kubectl(['patch', ...role, '--type=merge', '-p', JSON.stringify({ rules: next })]);
    await replace(without(all, taken));
    try {
      await act();
      await until(`the agent misses ${grant}`, told, journal);
    } finally {
      await replace(all);
    }
  };
  const edgeRole = ['clusterrole', 'tideline-edge'];
  const leaseRole = ['-n', 'tideline-system', 'role', 'tideline-edge'];
  const journalSays = async (...words: readonly string[]): Promise<boolean> => {
    const lines = (await journal()).split('\n');
    return lines.some((line) => words.every((word) => line.includes(word)));
  };

  it('status of Ingresses', () =>
    lacking(
      edgeRole,
      rules.edge,
      'patch networking.k8s.io/ingresses/status',
      () => paris.plane.apply(videoIngress('third', 'three.video.example')),
      () => journalSays('WriteForbidden', 'ingresses/status'),
    ));

  it('status of the pool', () =>
    lacking(
      edgeRole,
      rules.edge,
      'patch tideline.dev/edgepools/status',
      // The leader reads the pool every 20 s, and when it begins to lead.
      () => blade.sh('systemctl restart tideline-edge-agent'),
      () => journalSays('WriteForbidden', 'edgepools/status'),
    ));

  it('Events', () =>
    lacking(
      edgeRole,
      rules.edge,
      'create events.k8s.io/events',
      () => paris.plane.apply(videoIngress('fourth', 'www.video.example')),
      () => journalSays('WriteForbidden', 'events'),
    ));

  it.each(['get', 'update', 'create'])('the Lease: %s', async (verb) => {
    const name = await leaseOf();
    // A leader only renews the Lease. An agent reads it when it starts, and creates it when there is none.
    const act = async (): Promise<unknown> => {
      if (verb === 'create') return paris.plane.kubectl(['-n', 'tideline-system', 'delete', 'lease', name]);
      return verb === 'get' ? blade.sh('systemctl restart tideline-edge-agent') : undefined;
    };
    const before = (await journal()).split('LeaseNotWritable').length;
    await lacking(leaseRole, rules.lease, `${verb} coordination.k8s.io/leases`, act, async () => {
      return (await journal()).split('LeaseNotWritable').length > before;
    });
    await until('it leads again', async () => (await edge()).publishing?.leading === true, journal);
  });
});

const poolStatus = async (): Promise<string> =>
  JSON.stringify(
    (await paris.plane.read<{ readonly status?: object }>('/apis/tideline.dev/v1alpha1/edgepools/paris-edge')).status ??
      {},
  );
const eventsOf = async (name: string): Promise<readonly object[]> => {
  const selector = encodeURIComponent(`involvedObject.name=${name}`);
  const path = `/api/v1/namespaces/video/events?fieldSelector=${selector}`;
  return (await paris.plane.read<{ readonly items: readonly object[] }>(path)).items;
};
