import type { Component } from './control-plane.ts';
import { ports } from './ports.ts';
import type { Answer } from './request.ts';

/** The requests by which components are checked. */
export interface ComponentClient {
  /** Asks the apiserver, as the administrator. */
  apiserver(path: string): Promise<Answer>;
  etcd(path: string): Promise<Answer>;
  component(port: number, path: string): Promise<Answer>;
}

/** The check of each component: true when the component works. */
export function checksOf(client: ComponentClient): Readonly<Record<Component, () => Promise<boolean>>> {
  const ok = async (answer: Promise<Answer>): Promise<boolean> => (await answer).status === 200;
  return {
    etcd: () => ok(client.etcd('/readyz')),
    'kube-apiserver': () => ok(client.apiserver('/readyz')),
    'kube-controller-manager': () => ok(client.component(ports.controllerManager, '/healthz')),
    'kube-scheduler': () => ok(client.component(ports.scheduler, '/readyz')),
  };
}

/** True when the cluster has what working controllers make: the Service of the API, and an identity for pods. */
export async function isPopulated(client: ComponentClient): Promise<boolean> {
  const paths = ['services/kubernetes', 'serviceaccounts/default', 'configmaps/kube-root-ca.crt'];
  const answers = await Promise.all(paths.map((path) => client.apiserver(`/api/v1/namespaces/default/${path}`)));
  return answers.every((answer) => answer.status === 200);
}
