import type { SteeringNotice } from '../reasons.ts';

/** The notice for an API whose requests, with the keys in them, anybody on the way can read; undefined where nobody is on the way. */
export function plainHttpNotice(url: string, option: string): SteeringNotice | undefined {
  const { protocol, hostname, host } = new URL(url);
  const stays = hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
  if (protocol === 'https:' || stays) return undefined;
  return {
    reason: 'PlainHttp',
    message: `${option}: the keys for ${host} cross the network as plain text; use https, or a tunnel that ends on this host`,
  };
}
