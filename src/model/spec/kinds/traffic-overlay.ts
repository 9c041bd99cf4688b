import { z } from 'zod';
import { Name, text } from '../fields.ts';
import { Rule } from './traffic-policy.ts';

const time = z.iso.datetime({ offset: true }).max(64);

/** What of an overlay decides about traffic; a verdict keeps it as it was judged. */
export const proposal = {
  policy: Name.describe('Name of the TrafficPolicy that it is laid over.'),
  owner: text(256).describe('For people: the program or person that proposes it, and answers for it.'),
  afterwards: z
    .enum(['stay', 'return'])
    .default('stay')
    .describe(
      'What becomes of its traffic at `expires`: it stays where it is, or returns to what the policy says, in steps where `failback` of the policy is gradual.',
    ),
  expires: time.describe('RFC 3339 time until which its owner answers for it.'),
  rules: z
    .array(Rule)
    .min(1)
    .max(253)
    .describe(
      'Which clusters answer these countries instead. Only clusters that the policy names, and none that its `never` forbids a country.',
    ),
} as const;

export const TrafficOverlaySpec = z
  .strictObject({
    ...proposal,
    reason: text(1024).describe('For people: why.'),
    renewed: time
      .optional()
      .describe(
        'RFC 3339 time at which its owner last said that it still holds. Absent: the owner does not renew it, and is never silent.',
      ),
    silentAfterMinutes: z
      .int()
      .min(1)
      .max(10_080)
      .default(15)
      .describe('Its owner counts as silent when `renewed` is older than this.'),
  })
  .describe('A proposal to answer some countries of a TrafficPolicy otherwise, for a while.');
