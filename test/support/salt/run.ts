import type { Run } from '../../../src/planes/fleet/run/steps.ts';

/** A run that applies the documents of these servers, wave after wave. */
export function runOf(...waves: readonly (readonly string[])[]): Run {
  return {
    format: 1,
    command: 'apply',
    checksum: '0123456789abcdef',
    warnings: [],
    waves: waves.map((servers) => ({ cluster: 'ams', kind: 'worker', servers, steps: [{ do: 'apply', servers }] })),
  };
}
