import { defineConfig } from 'vitest/config';
import { compileCache } from './test/support/compile-cache.ts';

/** What tests start finds compiled what others before it compiled. A lab has a folder of its own for that (`stateOfLab`). */
const env = { NODE_COMPILE_CACHE: compileCache };

/** Unit tests sit beside the code; integration tests drive real daemons, cluster tests real control planes, one file at a time in its own box. */
export default defineConfig({
  test: {
    reporters: ['default'],
    // All processors: while tests run nothing else needs one.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'lab/**/*.test.ts',
            'tools/**/*.test.ts',
            'test/golden/**/*.test.ts',
            'test/boundary/**/*.test.ts',
            'test/hostile/**/*.test.ts',
            'test/bench/**/*.test.ts',
            'test/support/**/*.test.ts',
          ],
          env,
          // A process for many files: each would import the same modules anew, which is a third of their processor time. So a unit
          // test leaves nothing changed that others see (environment, globals, working directory).
          isolate: false,
          // In `make test` they run on what the demos leave of the processors.
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          env,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'clusters',
          include: ['test/clusters/**/*.test.ts'],
          // Go collects garbage less often: a sixth less processor time of control planes and kubectl, for 200 MiB a control plane.
          env: { ...env, GOGC: '400' },
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
