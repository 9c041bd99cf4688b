import { compareText } from '../../../model/values.ts';
import type { EdgeReason } from '../reasons.ts';
import type { Condition } from './condition.ts';

/** What a blade knows of its whole pool in one moment. */
export interface PoolView {
  readonly pool: string;
  readonly conditions: readonly Condition[];
  /** The platform folder does not load, so the last good platform is in force. */
  readonly platformInvalid: boolean;
  /** The field in which the object of the cluster differs from the pool in force, which comes from the platform folder. */
  readonly differsIn?: string;
  /** Why nginx of this blade refused the newest table; absent when it did not. */
  readonly tableRefused?: string;
  /** The number of blades that are known to be fit; `blades` counts all. */
  readonly fitBlades: number;
  readonly blades: number;
  /** The digest of the platform spec that each blade obeys, of those that tell. */
  readonly specs?: readonly { readonly blade: string; readonly digest: string }[];
  /** The VIPs that a blade announces; `vips` are all of the pool, `addresses` the public ones that are served. */
  readonly announced: readonly string[];
  readonly vips: readonly string[];
  readonly addresses: readonly string[];
}

interface PoolCondition {
  readonly type: 'Accepted' | 'ResolvedRefs' | 'SameSpec' | 'Programmed' | 'Ready';
  readonly status: 'True' | 'False';
  readonly reason: EdgeReason;
  readonly message: string;
}

/** The status of an EdgePool object, with the words of Gateway API; without times. */
export interface PoolStatus {
  readonly addresses: readonly { readonly type: 'IPAddress'; readonly value: string }[];
  /** The VIPs in force and the addresses, each joined by commas: a column of `kubectl get` prints only the first value of a list. */
  readonly vipList: string;
  readonly addressList: string;
  readonly conditions: readonly PoolCondition[];
}

export function poolStatus(view: PoolView): PoolStatus {
  const addresses = view.addresses.toSorted(compareText);
  return {
    addresses: addresses.map((value) => ({ type: 'IPAddress', value })),
    vipList: view.vips.join(','),
    addressList: addresses.join(','),
    conditions: [accepted(view), resolvedRefs(view), ...sameSpec(view), programmed(view), ready(view)],
  };
}

function accepted({ platformInvalid, differsIn }: PoolView): PoolCondition {
  if (differsIn !== undefined)
    return no(
      'Accepted',
      'SpecDiffers',
      `${differsIn} of this object is not what is in force: blades obey the platform folder on their disk`,
    );
  return platformInvalid
    ? no(
        'Accepted',
        'PlatformInvalid',
        'the platform folder of the leading blade does not load, the one before it is in force',
      )
    : yes('Accepted', 'Accepted', 'the pool is in force as this object has it');
}

function resolvedRefs({ pool, conditions }: PoolView): PoolCondition {
  const problem = conditions.find(({ object }) => object === `EdgePool/${pool}`)?.problems[0];
  // All reasons of the compile step are in this room's catalogue.
  if (problem !== undefined)
    return no('ResolvedRefs', problem.reason as EdgeReason, `${problem.path ?? ''}: ${problem.message}`);
  return yes('ResolvedRefs', 'Accepted', 'everything it refers to is there');
}

/** Whether the blades that tell obey one spec; nothing is said while none tells. */
function sameSpec({ specs = [] }: PoolView): readonly PoolCondition[] {
  const byDigest = [...Map.groupBy(specs, ({ digest }) => digest)].toSorted(([a], [b]) => compareText(a, b));
  if (byDigest.length === 0) return [];
  const text = byDigest
    .map(
      ([digest, those]) =>
        `${digest} on ${those
          .map(({ blade }) => blade)
          .toSorted(compareText)
          .join(', ')}`,
    )
    .join('; ');
  return [byDigest.length === 1 ? yes('SameSpec', 'Accepted', text) : no('SameSpec', 'SpecsDiffer', text)];
}

function programmed({ tableRefused, fitBlades, blades }: PoolView): PoolCondition {
  if (tableRefused !== undefined) return no('Programmed', 'TableRefused', tableRefused);
  return fitBlades === 0
    ? no('Programmed', 'NoBladeFit', `none of ${blades} blades is known to be fit`)
    : yes('Programmed', 'TableServed', `${fitBlades} of ${blades} blades are fit`);
}

function ready({ announced, vips }: PoolView): PoolCondition {
  const missing = vips.filter((vip) => !announced.includes(vip));
  return missing.length === 0
    ? yes('Ready', 'VipsAnnounced', 'every VIP is announced')
    : no('Ready', 'VipNotAnnounced', `announced by no blade that answers: ${missing.join(', ')}`);
}

function yes(type: PoolCondition['type'], reason: EdgeReason, message: string): PoolCondition {
  return { type, status: 'True', reason, message };
}

function no(type: PoolCondition['type'], reason: EdgeReason, message: string): PoolCondition {
  return { type, status: 'False', reason, message };
}
