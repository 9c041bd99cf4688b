import { z } from 'zod';
import { IpAddress, Name } from '../fields.ts';

export const serverRoles = ['etcd', 'control-plane', 'worker', 'blade'] as const;
export type ServerRole = (typeof serverRoles)[number];

export const ServerSpec = z
  .strictObject({
    site: Name.describe('Name of the Site that it stands in.'),
    rack: Name.describe('Its rack: what fails together when a rack loses power. Unique in its site.'),
    class: Name.describe('Name of its ServerClass.'),
    addresses: z
      .array(IpAddress)
      .min(1)
      .max(2)
      .describe(
        'Its addresses, inside the `servers` prefixes of the site; at most one of each family, the first is the one that others use.',
      ),
    cluster: Name.optional().describe('Name of the Cluster that it serves; absent: a spare.'),
    roles: z
      .array(z.enum(serverRoles))
      .max(2)
      .prefault([])
      .describe('What it does in the cluster. `etcd` and `control-plane` may share a server; the others stand alone.'),
    state: z
      .enum(['active', 'retired'])
      .default('active')
      .describe('`retired`: it gets no document any more, and its name and addresses stay reserved.'),
  })
  .describe(
    'A server: where it stands, what it is, and what it does. Its name is its host name, Node name and minion id. It is read from files only.',
  );
