import { describeDemo } from '../support/demo.ts';

/** `make demo KUBERNETES=1 ONCE=1`: the scenario on real control planes, with two steps more. */
describeDemo({
  words: ['--kubernetes'],
  moreSteps: ['apiserver-lost', 'blade-cold-start'],
  moreUnnoticed: ['apiserver-lost'],
  timeoutMs: 900_000,
});
