import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { findBinaries } from '../../../lab/control-plane/binaries.ts';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import { startControlPlane } from '../../../lab/control-plane/start.ts';
import { type BulkRequest, bulk, sendRequest } from '../../support/clusters/bulk.ts';
import { RawClient } from '../../support/clusters/raw.ts';
import type { Bench } from '../support/row.ts';
import { changeRows, pauseMs, restingRows, startRow, withAgent } from './agent-process.ts';
import { hostCount, hostName, namespaceCount, namespaceOf } from './fleet.ts';
import { untilServed } from './load.ts';
import { type Application, applicationOf, sliceName } from './manifests.ts';

const edgeRights = join(import.meta.dirname, '../../../deploy/rbac/edge.yaml');

/**
 * Measures `tideline edge agent` with the rights of a blade on a real kube-apiserver, at full size; etcd, kube-apiserver, nginx,
 * upstream and client share the processors with it. Nothing announces the VIPs, so nothing is published.
 */
export const edgeAgentOnKubernetes: Bench = {
  name: 'edge-agent-kubernetes',
  async run(reportProgress) {
    const { folder: binaries } = await findBinaries(process.env);
    return withAgent(async ({ folder, agent, client }) => {
      reportProgress('starting a control plane');
      const plane = await startControlPlane({ folder: join(folder, 'control-plane'), address: '127.0.1.1', binaries });
      const apiserver = new RawClient(plane.kubeconfig);
      try {
        await plane.end('kube-controller-manager');
        await plane.end('kube-scheduler');
        await bulk(plane, namespaces());
        const source = ['--kubeconfig', await bladeKubeconfig(plane)];
        reportProgress('a first start with one application, which compiles');
        await bulk(plane, Object.values(creations(hostCount + 900)), 1);
        await agent.start(source, hostCount + 900);
        await agent.stop();
        reportProgress(`filling the cluster: ${hostCount} applications`);
        await bulk(plane, fleet(), 8);
        reportProgress(`start with ${hostCount} hosts, 50,000 endpoints`);
        const started = await agent.start(source, hostCount - 1);

        const timed = async (request: BulkRequest, host: string, address?: string): Promise<number> => {
          const begin = performance.now();
          await Promise.all([sendRequest(apiserver, request), untilServed(client, host, address, pauseMs)]);
          return performance.now() - begin;
        };
        const newHost = async (index: number): Promise<number> => {
          const { ingress, service, slice } = creations(index);
          await sendRequest(apiserver, service);
          await sendRequest(apiserver, slice);
          return timed(ingress, hostName(index));
        };
        const newAddress = (index: number, address: string): Promise<number> => {
          const { endpoints } = applicationOf(index, [address]).slice;
          const path = `${slicesOf(index)}/${sliceName(index)}`;
          return timed({ method: 'PATCH', path, body: { endpoints } }, hostName(index), address);
        };
        return [
          startRow('kube-apiserver', started),
          ...(await changeRows('asked of the kube-apiserver', { newHost, newAddress }, reportProgress)),
          ...(await restingRows(started.pid, reportProgress)),
        ];
      } finally {
        await apiserver.close();
        await agent.stop();
        await plane.stop();
      }
    });
  },
};

/** Writes a kubeconfig with the rights that deploy/ gives to blades; resolves with its path. */
async function bladeKubeconfig(plane: ControlPlane): Promise<string> {
  const rights = parseAllDocuments(await readFile(edgeRights, 'utf8'));
  await plane.apply(...rights.map((document) => document.toJS() as object));
  return plane.kubeconfigFor({ user: 'tideline:edge:paris-blade-1', groups: ['tideline:edge'] });
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
