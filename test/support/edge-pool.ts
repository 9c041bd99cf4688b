import { apiVersion } from '../../src/model/contract.ts';
import { EdgePool } from '../../src/model/spec/kinds.ts';

/** The pool `paris-edge` of the example: two blades, one VIP. */
export function poolForTests(spec: Readonly<Record<string, unknown>> = {}): EdgePool {
  return EdgePool.parse({
    apiVersion,
    kind: 'EdgePool',
    metadata: { name: 'paris-edge' },
    spec: {
      cluster: 'paris',
      blades: [
        { name: 'paris-blade-1', address: '10.1.0.21' },
        { name: 'paris-blade-2', address: '10.1.0.22' },
      ],
      vips: [{ address: '192.0.2.10' }],
      ...spec,
    },
  });
}
