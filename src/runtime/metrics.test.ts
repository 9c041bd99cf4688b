import { expect, it } from 'vitest';
import { createRegistry, Gauge } from './metrics.ts';

it('names the agent in every metric', async () => {
  const registry = createRegistry('test');
  new Gauge({ name: 'tideline_test', help: 'A test.', registers: [registry] }).set(7);
  expect(await registry.metrics()).toContain('tideline_test{component="test"} 7');
});
