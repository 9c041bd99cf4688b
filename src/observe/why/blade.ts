import { drainOfBlade } from '../../model/platform/drains.ts';
import { poolOfBlade, siteOfServer } from '../../model/platform/places.ts';
import type { EdgePool } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { EdgePart, Snapshot } from '../snapshot.ts';
import { inputHops, sessionHop, silentHop } from './agent.ts';
import { fails, type Hop, holds, unknown } from './chain.ts';

/** Why a blade serves, or not: from its place in the spec to its BGP session. The blade is one of the spec. */
export function bladeHops(platform: Platform, snapshot: Snapshot, name: string): readonly Hop[] {
  const pool = poolOfBlade(platform, name);
  if (pool === undefined) return [];
  const part = snapshot.agents.find(({ target }) => target.plane === 'edge' && target.server === name);
  const spec = specHop(platform, pool, name, snapshot.takenAtMs);
  if (part === undefined) return [spec, unknown('blade', name, 'was not asked')];
  if ('problem' in part) return [spec, silentHop(snapshot, part)];
  if (!('edge' in part)) return [spec, unknown('blade', name, 'was not asked')];
  const { edge } = part;
  return [
    spec,
    holds('blade', name, `answers (${Math.max(1, Math.round(part.ageMs))} ms)`),
    ...inputHops(name, edge),
    servingHop(name, edge),
    ...pool.spec.vips.flatMap(({ address }) => vipHops(name, edge, address.text)),
  ];
}

function specHop(platform: Platform, pool: EdgePool, name: string, nowMs: number): Hop {
  const blade = pool.spec.blades.find((one) => one.name === name);
  const site = blade === undefined ? undefined : siteOfServer(platform, blade.address);
  const place = `is ${blade?.address.text} of pool ${pool.metadata.name} in site ${site?.metadata.name ?? '(none)'}`;
  const drain = drainOfBlade(platform, pool, name, nowMs);
  if (drain === undefined) return holds('spec', name, place);
  const { target, reason, expires } = drain.spec;
  const what = `${place}, and Drain/${drain.metadata.name} of ${target.kind} ${target.name} takes it out of service until ${expires}: ${reason}`;
  const fix = `when the work is done: tideline undrain ${target.kind.toLowerCase()} ${target.name} FOLDER --yes`;
  return fails('spec', name, 'BladeDrained', what, fix);
}

/** Whether the blade is in service; one that drains serves only until others have its VIPs. */
function servingHop(name: string, edge: EdgePart): Hop {
  const hop = nginxHop(name, edge);
  if (hop.verdict !== 'holds' || !edge.draining) return hop;
  return fails('nginx', name, 'BladeDrained', 'says that it drains, by the spec that it was given');
}

/** Whether nginx of the blade serves the newest table. */
export function nginxHop(name: string, { fault, nginx, tableRefused }: EdgePart): Hop {
  if (fault !== undefined) return fails('nginx', name, 'BladeUnfit', `is unfit: ${fault}`);
  if (nginx === undefined) return fails('nginx', name, 'BladeUnfit', 'has no nginx that answers its agent');
  if (tableRefused !== undefined)
    return fails('nginx', name, 'TableRefused', `has an nginx that refused the newest table: ${tableRefused}`);
  return holds('nginx', name, `serves the newest table to ${nginx.activeConnections} connections`);
}

function vipHops(name: string, edge: EdgePart, vip: string): readonly Hop[] {
  const state = edge.vips.find(({ address }) => address === vip);
  if (state === undefined) return [unknown('VIP', vip, `is not known to ${name}`)];
  const against = reasonsAgainst(edge, vip);
  const fit = state.fit
    ? holds('VIP', vip, `is served by ${name}`)
    : fails('VIP', vip, 'VipUnfit', `cannot be served by ${name}: ${against.join(', ') || 'it is not judged yet'}`);
  return [fit, announcedHop(name, edge, vip), sessionHop(name, edge.bgp, vip)];
}

/** Whether ExaBGP of the blade announces the VIP. */
function announcedHop(name: string, edge: EdgePart, vip: string): Hop {
  const state = edge.vips.find(({ address }) => address === vip);
  if (state?.announced === true) return holds('announced by', vip, `is announced by ${name}`);
  const refusal = refusalOf(edge, vip);
  const session = sessionHop(name, edge.bgp, vip);
  if (refusal === undefined && session.verdict === 'fails') return session;
  return fails(
    'announced by',
    vip,
    'VipNotAnnounced',
    `is not announced by ${name}: ${refusal ?? 'ExaBGP does not have it (yet)'}`,
  );
}

/** What a blade says against serving or announcing a VIP. */
export function reasonsAgainst(edge: EdgePart, vip: string): readonly string[] {
  const reasons = edge.vips.find(({ address }) => address === vip)?.reasons ?? [];
  const more = [edge.vipsMissing[vip], refusalOf(edge, vip)].filter((text) => text !== undefined);
  return [...reasons, ...more];
}

function refusalOf({ bgp }: EdgePart, vip: string): string | undefined {
  const refusal = bgp.refusals.find(({ prefix }) => prefix.replace(/\/\d+$/, '') === vip);
  return refusal === undefined ? undefined : `${refusal.message} (${refusal.reason})`;
}
