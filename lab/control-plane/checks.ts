import type { Component } from './control-plane.ts';
import { ports } from './ports.ts';
import type { Answer } from './request.ts';

/** Who has to answer what before a component counts as working. */
export interface Asker {
  /** As the administrator, or as nobody (`anonymous`), of the apiserver. */
  apiserver(path: string): Promise<Answer>;
  etcd(path: string): Promise<Answer>;
  component(port: number, path: string): Promise<Answer>;
}

export function checksOf(asker: Asker): Readonly<Record<Component, () => Promise<boolean>>> {
  const ok = async (answer: Promise<Answer>): Promise<boolean> => (await answer).status === 200;
  return {
    etcd: () => ok(asker.etcd('/readyz')),
    'kube-apiserver': () => ok(asker.apiserver('/readyz')),
    'kube-controller-manager': () => ok(asker.component(ports.controllerManager, '/healthz')),
    'kube-scheduler': () => ok(asker.component(ports.scheduler, '/readyz')),
  };
}

/** What a cluster has when its controllers work: the Service of the API, and an identity for pods. */
export async function isPopulated(asker: Asker): Promise<boolean> {
  const paths = ['services/kubernetes', 'serviceaccounts/default', 'configmaps/kube-root-ca.crt'];
  const answers = await Promise.all(paths.map((path) => asker.apiserver(`/api/v1/namespaces/default/${path}`)));
  return answers.every((answer) => answer.status === 200);
}
