/** How a function of Salt is asked for, whatever the way to the server is. */

/** Functions that change nothing; every other one must not run beside itself. */
const reading: ReadonlySet<string> = new Set([
  'cp.list_master',
  'service.get_running',
  'test.ping',
  'tideline.document',
  'tideline.public_keys',
  'tideline_etcd.members',
  'tideline_etcd.snapshots',
  'tideline_etcd.standing',
  'tideline_health.api',
  'tideline_health.edge',
  'tideline_health.etcd',
  'tideline_health.network',
  'tideline_health.requests',
  'tideline_health.vip',
  'tideline_units.stale',
  'tideline_units.status',
]);

export function isReading(fn: string): boolean {
  return reading.has(fn);
}

/** Arguments as Salt reads them, `name=YAML`. JSON is YAML; a `#` would keep Salt from reading it at all. */
export function keywords(args: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(args).map(([name, value]) => `${name}=${JSON.stringify(value).replaceAll('#', '\\u0023')}`);
}
