import { z } from 'zod';
import { Name, text } from '../fields.ts';
import { proposal } from './traffic-overlay.ts';

export const TrafficVerdictSpec = z
  .strictObject({
    overlay: Name.describe('Name of the TrafficOverlay.'),
    verdict: z.enum(['approve', 'reject']).describe('Whether it may take effect.'),
    by: text(256).describe('For people: who says so.'),
    at: z.iso.datetime({ offset: true }).max(64).describe('RFC 3339 time at which it was said.'),
    reason: text(1024).describe('For people: why.'),
    proposal: z
      .strictObject(proposal)
      .describe(
        'What was judged. An overlay that says otherwise by now is not approved by it; what was approved stays in effect meanwhile.',
      ),
  })
  .describe("A person's word about one version of a TrafficOverlay.");
