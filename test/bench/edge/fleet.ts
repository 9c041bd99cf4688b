import type { Backend, Endpoint, Host, RoutingTable } from '../../../src/planes/edge/table.ts';

/** The size for which the budgets are set: 5,000 hosts with ten endpoints each. */
export const hostCount = 5000;
export const endpointsAHost = 10;
export const namespaceCount = 250;
/** The network of the endpoints; startUpstream answers at every address of it, at this port. */
export const endpointNetwork = '10.64.0.0/14';
export const upstreamPort = 8000;

export function namespaceOf(index: number): string {
  return `shop-${index % namespaceCount}`;
}

export function hostName(index: number): string {
  return `app-${index}.${namespaceOf(index)}.example.com`;
}

/** The endpoint addresses of a host: 10.64.0.0 onwards, all different. */
export function addressesOf(index: number, endpoints: number = endpointsAHost): readonly string[] {
  return Array.from({ length: endpoints }, (_, place) => {
    const number = index * endpoints + place;
    return `10.${64 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
  });
}

/** An address that no host has, a new one for each number. */
export function freshAddress(number: number): string {
  return `10.67.${(number >> 8) & 255}.${number & 255}`;
}

export function backendOf(index: number, addresses: readonly string[] = addressesOf(index)): Backend {
  const endpoints: readonly Endpoint[] = addresses.map((address) => ({ address, port: upstreamPort }));
  return { key: `${namespaceOf(index)}/app-${index}/80`, endpoints };
}

export function hostOf(index: number): Host {
  return { name: hostName(index), paths: [{ match: 'prefix', path: '/', backend: backendOf(index).key }] };
}

/** The table of hosts 0 to `count` - 1. */
export function tableOf(count: number, endpoints: number = endpointsAHost): RoutingTable {
  const indexes = Array.from({ length: count }, (_, index) => index);
  return {
    hosts: indexes.map(hostOf).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    backends: indexes
      .map((index) => backendOf(index, addressesOf(index, endpoints)))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    certificates: [],
  };
}
