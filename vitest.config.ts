import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { compileCache } from './test/support/compile-cache.ts';

/**
 * Commands that tests start use the modules that earlier ones compiled, and write what they did into a history of tests. A lab has a folder of its own for that (`stateOfLab`).
 */
const env = { NODE_COMPILE_CACHE: compileCache, TIDELINE_HISTORY: resolve('build/history.jsonl') };

/**
 * Unit tests lie beside the code. Integration tests drive real daemons, cluster tests real control planes; each run has one
 * file in a box of its own.
 */
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
          // Many files share a process, because in one of its own each would import the same modules anew, a third of the processor
          // time. So a unit test must restore what others see (environment, globals, working directory).
          isolate: false,
          // The times are long because in `make test` unit tests run on the processor time that the demos leave.
          testTimeout: 120_000,
          hookTimeout: 120_000,
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
          // With this Go collects garbage less often. Control planes and kubectl take a sixth less processor time, and each
          // control plane
          // 200 MiB more memory.
          env: { ...env, GOGC: '400' },
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        // Takes too long for `make test`: `make fleet`.
        test: {
          name: 'fleet',
          include: ['test/fleet/**/*.test.ts'],
          env: { ...env, GOGC: '400' },
          testTimeout: 2_400_000,
          hookTimeout: 2_400_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
