import type { AgentPart, EdgePart, NetworkPart, Target } from '../../src/observe/snapshot.ts';

/** Agents of the site paris, as they answer when all is well, or with a change. */

export const takenAtMs = Date.UTC(2026, 10, 27, 14, 2, 51);

export function target(server: string, plane: Target['plane'], site = 'paris'): Target {
  const pool = plane === 'edge' ? { pool: `${site}-edge` } : {};
  return { server, plane, cluster: site, site, address: '10.1.0.1', port: 9464, ...pool };
}

const source = { phase: 'live' as const, sinceMs: takenAtMs - 60_000, servingSnapshot: false };
export const up = { address: '10.1.0.1', up: true, changedAtMs: takenAtMs - 60_000 };
export const down = { address: '10.1.0.1', up: false, changedAtMs: takenAtMs - 40_000, reason: 'hold timer expired' };

export function blade(server: string, change: Partial<EdgePart> = {}): AgentPart {
  const edge: EdgePart = {
    startedAtMs: 0,
    platform: { phase: 'current' },
    source,
    cluster: 'paris',
    blade: server,
    pool: 'paris-edge',
    vipsMissing: {},
    doubts: [],
    accepted: [],
    nginx: { activeConnections: 0 },
    vips: [{ address: '192.0.2.10', fit: true, announced: true, reasons: [] }],
    bgp: { refusals: [], relay: 'synced', neighbors: [up] },
    draining: false,
    policies: [{ policy: 'video', healthy: true, reason: 'BackendsServing' }],
    conditions: { accepted: 3, partial: 0, refused: 0 },
    ...change,
  };
  return { target: target(server, 'edge'), edge, ageMs: 12 };
}

export function worker(server: string, change: Partial<NetworkPart> = {}): AgentPart {
  const network: NetworkPart = {
    startedAtMs: 0,
    platform: { phase: 'current' },
    source,
    cluster: 'paris',
    node: server,
    doubts: [],
    accepted: [],
    action: 'announce',
    wanted: [{ prefix: '10.10.1.0/26' }],
    announced: [
      { prefix: '10.10.1.0/26', class: 'pods' },
      { prefix: '10.1.0.11/32', class: 'servers' },
    ],
    refusals: [],
    notices: [],
    relay: 'synced',
    neighbors: [up],
    ...change,
  };
  return { target: target(server, 'network'), network, ageMs: 9 };
}

export function silent(
  server: string,
  plane: Target['plane'],
  problem = 'cannot be reached',
  site = 'paris',
): AgentPart {
  return { target: target(server, plane, site), problem };
}
