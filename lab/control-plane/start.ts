import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditPolicy } from './audit.ts';
import { checksOf } from './checks.ts';
import { AuthenticatedClient } from './client.ts';
import { ComponentProcess } from './component.ts';
import type { Component, ControlPlane } from './control-plane.ts';
import { argumentsOf, type Layout, serviceCidrOf } from './flags.ts';
import { Identities } from './identities.ts';
import type { ControlPlaneOptions } from './options.ts';
import { createPki } from './pki/pki.ts';
import { namespacePlace, ownPlace, type Place } from './place.ts';
import { RunningControlPlane } from './running.ts';

/**
 * Starts a control plane and resolves when it works: the apiserver is ready, controller-manager and scheduler are healthy,
 * the default namespace has its Service and its ServiceAccount. A start that fails leaves nothing, and its error has the end of
 * the log of the component that failed.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  await claimFolder(options.folder);
  const place = placeOf(options);
  let plane: RunningControlPlane | undefined;
  try {
    plane = await assemble(options, place);
    await plane.startAll(options.readyTimeoutMs ?? 120_000);
    return plane;
  } catch (error) {
    if (plane === undefined) await rm(options.folder, { recursive: true, force: true });
    await plane?.stop();
    throw error;
  }
}

/** Makes the folder. Throws when it is not empty: its files may belong to a running control plane. */
async function claimFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) throw new Error(`the folder of a control plane must be empty: ${folder}`);
}

function placeOf(options: ControlPlaneOptions): Place {
  const { network, namespace, address, folder } = options;
  if (network === undefined || namespace === undefined) return ownPlace(address);
  return namespacePlace(network, namespace, address, folder);
}

async function assemble(options: ControlPlaneOptions, place: Place): Promise<RunningControlPlane> {
  const { folder } = options;
  const pki = await createPki(join(folder, 'pki'), hostsOf(options), [place.innerAddress, 'localhost']);
  const identities = new Identities(join(folder, 'kubeconfigs'), place.address, pki);
  const layout: Layout = {
    pki: pki.files,
    innerAddress: place.innerAddress,
    etcdData: join(folder, 'etcd'),
    auditPolicy: join(folder, 'audit-policy.json'),
    auditLog: join(folder, 'audit.log'),
    authenticationConfig: join(folder, 'authentication.json'),
    kubeconfigs: await identities.writeForComponents(),
  };
  await writeFile(layout.auditPolicy, JSON.stringify(auditPolicy));
  await writeFile(layout.authenticationConfig, JSON.stringify(anonymousForHealthOnly));
  const client = new AuthenticatedClient(place, pki);
  const checks = checksOf(client);
  const component = (name: Component): ComponentProcess =>
    new ComponentProcess({
      name,
      place,
      program: join(options.binaries, name),
      arguments: argumentsOf(name, options, layout),
      folder,
      check: checks[name],
    });
  return new RunningControlPlane({
    folder,
    place,
    pki,
    identities,
    client,
    auditLog: layout.auditLog,
    kubectl: join(options.binaries, 'kubectl'),
    kubeconfig: await identities.writeForAdministrator(),
    components: {
      etcd: component('etcd'),
      'kube-apiserver': component('kube-apiserver'),
      'kube-controller-manager': component('kube-controller-manager'),
      'kube-scheduler': component('kube-scheduler'),
    },
  });
}

/** Anonymous clients may ask for the apiserver's health and nothing else. */
const anonymousForHealthOnly = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthenticationConfiguration',
  anonymous: { enabled: true, conditions: ['/livez', '/readyz', '/healthz'].map((path) => ({ path })) },
};

function hostsOf(options: ControlPlaneOptions): readonly string[] {
  const inside = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
  const addresses = [options.address, '127.0.0.1', firstAddress(serviceCidrOf(options))];
  return [...new Set([...addresses, 'localhost', ...inside, ...(options.hosts ?? [])])];
}

/** The address of the Service `kubernetes`: the first one after the network address. */
function firstAddress(cidr: string): string {
  const [network = ''] = cidr.split('/');
  return network.includes(':') ? `${network.replace(/::$/, '')}::1` : network.replace(/\.\d+$/, '.1');
}
