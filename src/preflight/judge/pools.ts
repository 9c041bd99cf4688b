import { type CalicoGroup, calicoVersion } from '../../kube/calico.ts';
import { contains, type Prefix, parsePrefix } from '../../model/address.ts';
import { type Answer, count, type Finding, failed, ok, unanswered, warning } from '../finding.ts';
import type { Pool } from './calico.ts';

export interface PoolContext {
  readonly who: string;
  readonly group: CalicoGroup;
  /** Pod prefixes of the cluster's sites; absent without a platform spec. */
  readonly allowed: readonly Prefix[] | undefined;
  readonly sites: readonly string[];
}

/** Judges whether every enabled pool for pods is inside the sites, is not encapsulated, and is announced. */
export function judgePools(answer: Answer<readonly Pool[]>, context: PoolContext): readonly Finding[] {
  if ('forbidden' in answer || 'failed' in answer) return [unanswered('calico-pools', answer, context.who)];
  const pools = ('got' in answer ? answer.got : []).filter(isForPods);
  if (pools.length === 0) return [noPools(context)];
  const findings = pools.flatMap((pool) => judgePool(pool, context));
  if (!pools.some(({ nodeSelector = 'all()' }) => nodeSelector === 'all()' || nodeSelector === ''))
    findings.push(
      warning('calico-pools', 'PoolsNotForAllNodes', {
        found: `every pool is for some nodes only: ${pools.map(({ name, nodeSelector }) => `${name} for ${nodeSelector ?? ''}`).join(', ')}`,
        expected: 'together they cover every node',
        fix: 'kubectl get nodes --show-labels',
      }),
    );
  if (findings.length > 0) return findings;
  return [
    ok(
      'calico-pools',
      `${count(pools.length, 'pool')}: ${pools.map(({ name, cidr = '' }) => `${name} ${cidr}`).join(', ')}`,
    ),
  ];
}

function isForPods({ disabled, allowedUses }: Pool): boolean {
  return (
    disabled !== true && (allowedUses === undefined || allowedUses.length === 0 || allowedUses.includes('Workload'))
  );
}

function noPools({ group, allowed }: PoolContext): Finding {
  const cidr = allowed?.[0]?.text ?? 'PREFIX';
  return failed('calico-pools', 'PoolsMissing', {
    found: 'there is no enabled IPPool for pods',
    expected: 'at least one; agents hold until then',
    fix: `echo '{"apiVersion":"${calicoVersion(group)}","kind":"IPPool","metadata":{"name":"pods"},"spec":{"cidr":"${cidr}","ipipMode":"Never","vxlanMode":"Never"}}' | kubectl create -f -`,
  });
}

function judgePool(pool: Pool, { group, allowed, sites }: PoolContext): Finding[] {
  const { name, ipipMode = 'Never', vxlanMode = 'Never' } = pool;
  const patch = (spec: object) =>
    `kubectl patch ippools.${group} ${name} --type=merge -p '${JSON.stringify({ spec })}'`;
  const findings: Finding[] = [];
  const prefix = parsePrefix(pool.cidr ?? '');
  if (prefix === undefined)
    findings.push(
      failed('calico-pools', 'PoolUnreadable', {
        found: `IPPool ${name} has the cidr ${JSON.stringify(pool.cidr ?? '')}`,
        expected: 'a prefix',
        fix: `kubectl get ippools.${group} ${name} -o yaml`,
      }),
    );
  else if (allowed !== undefined && !allowed.some((outer) => contains(outer, prefix)))
    findings.push(
      failed('calico-pools', 'PoolOutsideSites', {
        found: `IPPool ${name} is ${prefix.text}; the sites ${sites.join(', ')} have ${allowed.map(({ text }) => text).join(', ') || 'no pod prefix'}`,
        expected: 'every pool inside a pod prefix of a site: other blocks are never announced',
        fix: `in the platform spec, add ${prefix.text} to spec.prefixes.pods of Site/${sites[0] ?? 'NAME'}`,
      }),
    );
  if (ipipMode !== 'Never' || vxlanMode !== 'Never')
    findings.push(
      failed('calico-pools', 'PoolEncapsulated', {
        found: `IPPool ${name} has ${ipipMode === 'Never' ? `vxlanMode ${vxlanMode}` : `ipipMode ${ipipMode}`}`,
        expected: 'Never for both: routers bring packets to pods as they are',
        fix: patch({ ipipMode: 'Never', vxlanMode: 'Never' }),
      }),
    );
  if (pool.disableBGPExport === true)
    findings.push(
      warning('calico-pools', 'PoolNotExported', {
        found: `IPPool ${name} says disableBGPExport: its pods are not reachable from blades`,
        fix: patch({ disableBGPExport: false }),
      }),
    );
  if (pool.natOutgoing === true)
    findings.push(
      warning('calico-pools', 'PoolNatOutgoing', {
        found: `IPPool ${name} has natOutgoing: what pods open outside comes from the address of their node`,
        expected: 'false, unless the pods have no route to the outside of their own',
        fix: patch({ natOutgoing: false }),
      }),
    );
  return findings;
}
