import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { findBinaries } from '../../../src/lab/kubernetes/binaries.ts';
import type { ControlPlane } from '../../../src/lab/kubernetes/control-plane.ts';
import { startControlPlane } from '../../../src/lab/kubernetes/start.ts';
import { Network } from '../../../src/lab/net/network.ts';
import { ask, type BulkRequest, bulk } from '../../support/kube/bulk.ts';
import { RawClient } from '../../support/kubernetes/raw.ts';
import type { Bench } from '../support/row.ts';
import {
  AgentProcess,
  changeRows,
  endpointChanges,
  newHosts,
  restingRows,
  startRow,
  untilServed,
} from './agent-process.ts';
import { freshAddress, hostCount, hostName, namespaceCount, namespaceOf } from './fleet.ts';
import { Client } from './load.ts';
import { type Application, applicationOf, sliceName } from './manifests.ts';
import { ports, startOurs, startUpstream } from './nginxes.ts';

const edgeRights = join(import.meta.dirname, '../../../deploy/rbac/edge.yaml');

/**
 * `tideline edge agent` with the rights of a blade on a real kube-apiserver, at full size; etcd, kube-apiserver, nginx, upstream
 * and client share the processors with it. Nothing announces the VIPs, so nothing is published.
 */
export const edgeAgentOnKubernetes: Bench = {
  name: 'edge-agent-kubernetes',
  async run(say) {
    const { folder: binaries } = await findBinaries(process.env);
    const network = new Network();
    const folder = await mkdtemp(join(tmpdir(), 'tideline-bench-'));
    const client = new Client(ports.ours);
    let plane: ControlPlane | undefined;
    let agent: AgentProcess | undefined;
    try {
      await network.adoptOwn('bench');
      const place = { network, namespace: 'bench', folder };
      await startUpstream(place);
      const { runDir } = await startOurs(place);
      say('starting a control plane');
      const planeFolder = join(folder, 'control-plane');
      await mkdir(planeFolder);
      plane = await startControlPlane({ folder: planeFolder, address: '127.0.1.1', binaries });
      await plane.end('kube-controller-manager');
      await plane.end('kube-scheduler');
      await bulk(plane, namespaces());
      const rights = parseAllDocuments(await readFile(edgeRights, 'utf8'));
      await plane.apply(...rights.map((document) => document.toJS() as object));
      const identity = { user: 'tideline:edge:paris-blade-1', groups: ['tideline:edge'] };
      const source = ['--kubeconfig', await plane.kubeconfigFor(identity)];
      agent = new AgentProcess(place, runDir, client);
      say('a first start with one application, which compiles');
      await bulk(plane, Object.values(creations(hostCount + 900)), 1);
      await agent.start(source, hostCount + 900);
      await agent.stop();
      say(`filling the cluster: ${hostCount} applications`);
      await bulk(plane, fleet(), 8);
      say(`start with ${hostCount} hosts, 50,000 endpoints`);
      const started = await agent.start(source, hostCount - 1);

      const { hosts, endpoints } = await changes(plane, client, say);
      say('idle for 10 s');
      return [
        startRow('kube-apiserver', started),
        ...changeRows('asked of the kube-apiserver', endpoints, hosts),
        ...(await restingRows(started.pid)),
      ];
    } finally {
      client.close();
      await agent?.stop();
      await plane?.stop();
      await network.destroy();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** New Ingresses, then changed endpoints; resolves with the milliseconds until each was served. */
async function changes(
  plane: ControlPlane,
  client: Client,
  say: (doing: string) => void,
): Promise<{ readonly hosts: readonly number[]; readonly endpoints: readonly number[] }> {
  const apiserver = new RawClient(plane.kubeconfig);
  const timed = async (request: BulkRequest, host: string, address?: string): Promise<number> => {
    const begin = performance.now();
    await Promise.all([ask(apiserver, request), untilServed(client, host, address)]);
    return performance.now() - begin;
  };
  try {
    say(`${newHosts} new Ingresses`);
    const hosts: number[] = [];
    for (let index = hostCount; index < hostCount + newHosts; index += 1) {
      const { ingress, service, slice } = creations(index);
      await ask(apiserver, service);
      await ask(apiserver, slice);
      hosts.push(await timed(ingress, hostName(index)));
    }
    say(`${endpointChanges} changes of endpoints`);
    const endpoints: number[] = [];
    for (let number = 0; number < endpointChanges; number += 1) {
      const index = hostCount + (number % newHosts);
      const address = freshAddress(number);
      const { endpoints: body } = applicationOf(index, [address]).slice;
      const path = `${slicesOf(index)}/${sliceName(index)}`;
      endpoints.push(await timed({ method: 'PATCH', path, body: { endpoints: body } }, hostName(index), address));
    }
    return { hosts, endpoints };
  } finally {
    await apiserver.close();
  }
}

function namespaces(): readonly BulkRequest[] {
  const names = Array.from({ length: namespaceCount }, (_, index) => namespaceOf(index));
  return ['tideline-system', ...names].map((name) => ({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { metadata: { name } },
  }));
}

function* fleet(): Generator<BulkRequest> {
  for (let index = 0; index < hostCount; index += 1) yield* Object.values(creations(index));
}

function creations(index: number): Readonly<Record<keyof Application, BulkRequest>> {
  const { ingress, service, slice } = applicationOf(index);
  const namespace = namespaceOf(index);
  return {
    service: { method: 'POST', path: `/api/v1/namespaces/${namespace}/services`, body: service },
    slice: { method: 'POST', path: slicesOf(index), body: slice },
    ingress: { method: 'POST', path: `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, body: ingress },
  };
}

const slicesOf = (index: number): string => `/apis/discovery.k8s.io/v1/namespaces/${namespaceOf(index)}/endpointslices`;
