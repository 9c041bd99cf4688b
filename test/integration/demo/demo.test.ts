import { describeDemo } from '../../support/demo.ts';

/** `make demo ONCE=1`, as its report tells it: all steps of the scenario, in order, judged by the clients. */
describeDemo({ words: [], moreSteps: [], moreUnnoticed: [], timeoutMs: 600_000 });
