import { expect, it } from 'vitest';
import type { SteeringStatus } from '../../src/model/steering-status.ts';
import { steeringLines } from './steering.ts';

it('says of each zone what the steering agent does about it, and nothing where there is no agent', () => {
  const zone = { provider: 'route53', zone: 'video.example', sinceMs: 0, generation: 3 } as const;
  const condition = { reason: 'NeedsApproval', message: 'too much', sinceMs: 0 };
  const zones = [
    { ...zone, state: 'inForce' as const, conditions: [] },
    { ...zone, provider: 'powerdns', state: 'waits' as const, conditions: [condition, condition] },
  ];
  const status = { mode: 'automatic', zones } as unknown as SteeringStatus;
  expect(steeringLines({ url: 'http://here/status', status })).toEqual([
    'steering agent, automatic',
    '  route53   video.example  inForce, generation 3',
    '  powerdns  video.example  waits, generation 3: NeedsApproval',
  ]);
  expect(steeringLines({ url: 'http://here/status' })).toEqual(['steering agent', '  no answer']);
  expect(steeringLines(undefined)).toEqual([]);
});
