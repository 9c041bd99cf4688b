import { resolveWithSubnet } from '../clients/resolver.ts';
import { application } from '../world/application.ts';
import { nameServers } from '../world/topology.ts';
import type { ViewPort } from './port.ts';

export interface DnsView {
  readonly country: string;
  /** The addresses that each name server answers now to the subnet of the country's client; empty when it does not answer. */
  readonly route53: readonly string[];
  readonly powerdns: readonly string[];
}

/** Asks both name servers what they answer to every country now, with the same subnet for both. */
export function dnsViews(lab: Pick<ViewPort, 'world'>): Promise<readonly DnsView[]> {
  const clients = lab.world.users.flatMap((site) => site.clients).filter((client) => client.resolver === 'route53');
  return Promise.all(
    clients.map(async ({ country, address }) => {
      const [route53, powerdns] = await Promise.all([
        answers(nameServers.route53, address),
        answers(nameServers.powerdns, address),
      ]);
      return { country, route53, powerdns };
    }),
  );
}

async function answers(server: string, subnet: string): Promise<readonly string[]> {
  const answer = await resolveWithSubnet({ server, host: application.host, subnet }).catch(() => undefined);
  return answer?.addresses ?? [];
}

/** The cluster that an entry address belongs to, such as `paris` or `cloud`; undefined when it belongs to none. */
export function clusterOfAddress(lab: Pick<ViewPort, 'world'>, address: string): string | undefined {
  return (
    lab.world.datacentres.find((datacentre) => datacentre.vips.includes(address))?.cluster ??
    lab.world.regions.find((region) => region.anycast.includes(address))?.cluster
  );
}
