import { z } from 'zod';
import type { DrainAnswers } from '../model/platform/drain-answers.ts';
import { withoutUndefined } from '../model/values.ts';

const share = z.number().min(0).max(1);
const DnsInStatus = z.object({
  dnsShare: share,
  dnsShareByFamily: z.object({ ipv4: share.optional(), ipv6: share.optional() }).catch({}),
  dnsEmptyAt: z.iso.datetime().optional(),
});

/** How much DNS still leads to what a Drain takes out of service, as it stands in the status of the object; undefined where nobody said it. */
export function answersInStatus(status: unknown): DrainAnswers | undefined {
  const read = DnsInStatus.safeParse(status);
  if (!read.success) return undefined;
  const { dnsShare, dnsShareByFamily, dnsEmptyAt } = read.data;
  const emptyAtMs = dnsEmptyAt === undefined ? undefined : Date.parse(dnsEmptyAt);
  return { share: dnsShare, byFamily: withoutUndefined(dnsShareByFamily), ...withoutUndefined({ emptyAtMs }) };
}
