import { describeDemo } from '../../support/demo.ts';

/** Plays `make demo ONCE=1` and checks its report: all steps of the scenario, in order, judged by the clients. */
describeDemo({ words: [], moreSteps: [], moreUnnoticed: [], morePrograms: [], timeoutMs: 600_000 });
