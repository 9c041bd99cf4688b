import { apiVersion } from '../../../model/contract.ts';
import { compareText } from '../../../model/values.ts';
import type { ServerContext } from './context.ts';
import { sorted } from './text.ts';

/**
 * The part of the platform spec that the agents of a server need, one object of JSON a document of YAML: its cluster with the sites, and
 * the edge pools. A worker's part has one blade of each pool, because its agent asks no pool for anything: so a blade that comes or goes
 * changes no worker. It is not read by people.
 */
export function platformText(server: ServerContext): string {
  const known = texts.get(server.pools) ?? new Map<string, string>();
  texts.set(server.pools, known);
  const whole = server.server.roles.includes('blade');
  const text = known.get(String(whole)) ?? writePlatform(server, whole);
  known.set(String(whole), text);
  return text;
}

/** By the pools of a fleet: a thousand workers have one text. */
const texts = new WeakMap<object, Map<string, string>>();

function writePlatform(server: ServerContext, whole: boolean): string {
  const cluster = server.platform.clusters.get(server.cluster);
  const sites = cluster?.spec.sites ?? [];
  const objects = [
    ...(cluster === undefined ? [] : [{ ...cluster, spec: { ...cluster.spec, source: { none: true } } }]),
    ...sites.map((name) => server.platform.sites.get(name)).filter((site) => site !== undefined),
    ...server.pools.map((pool) => (whole ? pool : withOneBlade(pool))),
  ];
  return objects
    .map(({ kind, metadata, spec }) => ({ apiVersion, kind, metadata: { name: metadata.name }, spec: written(spec) }))
    .map((object) => `${JSON.stringify(sorted(object))}\n`)
    .join('---\n');
}

function withOneBlade(pool: ServerContext['pools'][number]) {
  const blades = pool.spec.blades.toSorted((a, b) => compareText(a.name, b.name)).slice(0, 1);
  return { ...pool, spec: { ...pool.spec, blades, minAnnouncers: 1 } };
}

/** Addresses and prefixes as they are written in the spec, whatever else they are in memory. */
function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  if ('family' in value && 'text' in value) return value.text;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, written(part)]));
}
