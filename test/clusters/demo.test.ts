import { describeDemo } from '../support/demo.ts';

/** Runs `make demo KUBERNETES=1 ONCE=1`: the scenario on real control planes, with two more steps. */
describeDemo({
  words: ['--kubernetes'],
  moreSteps: ['apiserver-lost', 'blade-cold-start'],
  moreUnnoticed: ['apiserver-lost'],
  morePrograms: ['calico-ipam', 'etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'],
  timeoutMs: 900_000,
});
