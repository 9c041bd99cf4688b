import { z } from 'zod';
import { AsNumber, CountryCode, IpAddress, IpPrefix, Name } from '../fields.ts';

export const SiteSpec = z
  .strictObject({
    type: z
      .enum(['datacentre', 'cloud'])
      .describe('`datacentre`: our servers and routers. `cloud`: one region of a provider.'),
    location: z
      .strictObject({
        country: CountryCode.describe('ISO 3166-1 alpha-2 code, e.g. FR.'),
        latitude: z.number().min(-90).max(90).describe('Degrees north.'),
        longitude: z.number().min(-180).max(180).describe('Degrees east.'),
      })
      .describe('Where it is.'),
    routers: z
      .array(
        z.strictObject({
          name: Name.describe('Name, unique in the platform.'),
          address: IpAddress.describe('Address towards the servers, unique in the site.'),
          asn: AsNumber.describe('AS number of the router.'),
        }),
      )
      .max(64)
      .prefault([])
      .describe('The routers that servers peer with (top of rack). Empty for a cloud region.'),
    serverAsn: AsNumber.optional().describe(
      "AS number of the servers' own BGP speakers; needed when there are routers.",
    ),
    prefixes: z
      .strictObject({
        pods: z.array(IpPrefix).max(64).prefault([]).describe('Pod addresses: the blocks of workers lie in here.'),
        servers: z.array(IpPrefix).max(64).prefault([]).describe('Addresses of workers and blades.'),
        vips: z
          .array(IpPrefix)
          .max(64)
          .prefault([])
          .describe('Public or private service addresses of edge pools, or anycast addresses.'),
      })
      .describe(
        'The prefixes that may ever be announced from here; everything else is refused. No two of them overlap, within a ' +
          'site or between sites, except that cloud sites may list the same `vips` prefix (anycast).',
      ),
    limits: z
      .strictObject({
        maxRoutesPerServer: z.int().min(1).max(1_000_000).default(256).describe('Routes that one server may announce.'),
        maxAnnouncementsPerMinute: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(600)
          .describe('New or changed routes of one server in a minute.'),
        maxWithdrawalsPerMinute: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(60)
          .describe('Withdrawn routes of one server in a minute.'),
      })
      .prefault({})
      .describe('Limits of what one server may announce.'),
  })
  .describe('A data centre or a cloud region.');
