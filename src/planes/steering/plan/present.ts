import { identityOf } from '../../../answers/record.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { type HealthCheck, leastOf } from '../compile/entries.ts';
import type { Intent } from '../compile/intent.ts';
import type { ZoneReader, ZoneState } from '../providers/provider.ts';
import type { Changes } from '../records/changes.ts';
import type { CheckChanges } from '../records/checks.ts';
import { isBelowRegistry } from '../records/registry.ts';
import { checksInUse } from './checks-in-use.ts';
import type { DownNow } from './impact.ts';

/** The health of one entry address when a plan is made, as one policy's check sees it. */
export interface PresentHealth {
  readonly policy: string;
  readonly cluster: string;
  readonly address: string;
  /** How many addresses of a family must answer for the cluster to be a first choice; absent where one is enough. */
  readonly minHealthyAddresses?: number;
  /** Absent when it is not known. */
  readonly healthy?: boolean;
  /** Who says so: the checkers of the provider, or one look from the machine of the command. */
  readonly seenBy?: 'provider' | 'this machine';
}

/** Makes a health check once, from this machine. `silent`: nobody answered, which may be for want of a way there. */
export type Probe = (check: HealthCheck) => Promise<'healthy' | 'unhealthy' | 'silent'>;

/** So many addresses are looked at from this machine, all at once; of more the health is not known. */
const mostProbes = 128;

/**
 * The health now of every entry of these policies: as the provider's checkers tell it; where they tell nothing, by a look from this
 * machine. When nothing of an address family answers this machine, its silence says nothing of the entries.
 */
export async function presentHealth(
  { policies }: { readonly policies: readonly Pick<Intent['policies'][number], 'policy' | 'entries'>[] },
  of: ReadonlySet<string>,
  { reader, state, probe }: { readonly reader: ZoneReader; readonly state: ZoneState; readonly probe?: Probe },
): Promise<readonly PresentHealth[]> {
  const byName = Map.groupBy(state.records, ({ name }) => name);
  const asked = policies
    .filter(({ policy }) => of.has(policy.metadata.name))
    .flatMap(({ policy, entries }) => {
      const inUse = checksInUse(byName, policy.spec.hosts);
      return entries.flatMap(({ cluster, checks }) =>
        checks.map((check) => {
          const keys = inUse.filter(({ address }) => address === check.address).map(({ key }) => key);
          return { policy: policy.metadata.name, cluster, check, keys: [...new Set([...keys, check.key])] };
        }),
      );
    });
  const known = [...new Set(asked.flatMap(({ keys }) => keys))].filter((key) => state.healthChecks.has(key));
  const told = (known.length === 0 ? undefined : await reader.readHealth?.(state, known)) ?? new Map<string, boolean>();
  const untold = asked.filter(({ keys }) => !keys.some((key) => told.has(key))).map(({ check }) => check);
  const seen = await look(untold, probe);
  return asked.map(({ policy, cluster, check, keys }): PresentHealth => {
    const needed = withoutUndefined({ minHealthyAddresses: check.minHealthyAddresses });
    const entry = { policy, cluster, address: check.address, ...needed };
    const verdicts = keys.flatMap((key) => told.get(key) ?? []);
    if (verdicts.length > 0) return { ...entry, healthy: !verdicts.includes(false), seenBy: 'provider' };
    const healthy = seen.get(check);
    return healthy === undefined ? entry : { ...entry, healthy, seenBy: 'this machine' };
  });
}

async function look(
  checks: readonly HealthCheck[],
  probe: Probe | undefined,
): Promise<ReadonlyMap<HealthCheck, boolean>> {
  if (probe === undefined) return new Map();
  const results = await Promise.all(
    checks.slice(0, mostProbes).map(async (check) => ({ check, result: await probe(check) })),
  );
  const answering = new Set(
    results.filter(({ result }) => result !== 'silent').map(({ check }) => familyOf(check.address)),
  );
  return new Map(
    results
      .filter(({ check }) => answering.has(familyOf(check.address)))
      .map(({ check, result }) => [check, result === 'healthy']),
  );
}

const familyOf = (address: string): number => (address.includes(':') ? 6 : 4);

/** Whether the entries of a cluster are known to be too few in every family for it to be a first choice of anybody. */
export function isLeft(entries: readonly PresentHealth[]): boolean {
  const families = [...Map.groupBy(entries, ({ address }) => familyOf(address)).values()];
  const isShort = (some: readonly PresentHealth[]): boolean =>
    some.filter(({ healthy }) => healthy !== false).length < leastOf(some);
  return families.length > 0 && families.every(isShort);
}

/**
 * The policies with a host whose answer may change: their health is asked for. A record below the registry that is replaced may be part
 * of any answer, and so may a health check that changes. A host that had no answer moves nobody.
 */
export function policiesThatChange(
  { policies, wanted }: Intent,
  changes: Changes,
  { create, update }: Pick<CheckChanges, 'create' | 'update'>,
): ReadonlySet<string> {
  const created = new Set(changes.create.map(identityOf));
  const replaced = changes.delete.some(
    (record) => isBelowRegistry(wanted.zone, record.name) && created.has(identityOf(record)),
  );
  const had = new Set([...changes.registryBefore.hosts, wanted.adopted]);
  const changed = new Set([...changes.create, ...changes.delete].map(({ name }) => name));
  const checks = new Set([...create, ...update].map(({ key }) => key));
  const concerned = policies.filter(({ policy, entries }) => {
    const hosts = policy.spec.hosts.filter((host) => had.has(host));
    const isWatchedOtherwise = entries.some((entry) => entry.checks.some(({ key }) => checks.has(key)));
    return hosts.some((host) => replaced || isWatchedOtherwise || changed.has(host));
  });
  return new Set(concerned.map(({ policy }) => policy.metadata.name));
}

/** The policies of which the health is asked for: those whose answers change, or all. */
export function policiesAsked(
  intent: Intent,
  changes: Changes,
  checks: Pick<CheckChanges, 'create' | 'update'>,
  whose?: 'ifNothingChanges' | 'all',
): ReadonlySet<string> {
  const changing = policiesThatChange(intent, changes, checks);
  const isAll = whose === 'all' || (whose === 'ifNothingChanges' && changing.size === 0);
  return isAll ? new Set(intent.policies.map(({ policy }) => policy.metadata.name)) : changing;
}

/** The addresses that are known to be down, by host. */
export function downByHost({ policies }: Intent, health: readonly PresentHealth[]): DownNow {
  return new Map(
    policies.flatMap(({ policy }) => {
      const down = health.filter((one) => one.policy === policy.metadata.name && one.healthy === false);
      const addresses = new Set(down.map(({ address }) => address));
      return policy.spec.hosts.map((host) => [host, addresses] as const);
    }),
  );
}
