import { withoutUndefined } from '../../../model/values.ts';
import { reasonsAgainst } from './fitness.ts';
import { type BladeMemory, newVip, type VipMemory } from './memory.ts';
import { reasonsOf } from './vip-status.ts';

/** A line for the log. */
export interface News {
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What changed from one memory to the next and people should read in the log. */
export function newsOf(before: BladeMemory, after: BladeMemory): readonly News[] {
  const vips = after.vips.map((vip) => {
    const was = before.vips.find(({ address }) => address.text === vip.address.text) ?? newVip(vip.address);
    return { was, vip };
  });
  return [
    ...drainNews(before, after),
    ...vips.flatMap(({ was, vip }) => fitnessNews(was, vip)),
    ...vips.flatMap(({ was, vip }) => lastAnnouncerNews(was, vip, after)),
    ...setNews(before, after),
  ];
}

function drainNews({ retirement: before }: BladeMemory, { retirement: after }: BladeMemory): readonly News[] {
  if (before.phase !== 'draining' && after.phase === 'draining') {
    const { metadata, spec } = after.drain;
    return [{ level: 'info', message: 'drain begins', fields: { drain: metadata.name, why: spec.reason } }];
  }
  if (before.phase === 'draining' && after.phase !== 'draining')
    return [{ level: 'info', message: 'drain over', fields: { drain: before.drain.metadata.name } }];
  return [];
}

function fitnessNews(was: VipMemory, { address, fitness }: VipMemory): readonly News[] {
  if (was.fitness.fit === fitness.fit) return [];
  if (fitness.fit) return [{ level: 'info', message: 'fit for the VIP', fields: { vip: address.text } }];
  const reasons = reasonsAgainst(fitness);
  return [
    { level: 'warn', message: 'not fit for the VIP', fields: { vip: address.text, reason: reasons[0], reasons } },
  ];
}

function lastAnnouncerNews(was: VipMemory, vip: VipMemory, { retirement }: BladeMemory): readonly News[] {
  const { reason } = vip.decision;
  if (reason === undefined || was.decision.reason !== undefined) return [];
  const reasons = reasonsOf(vip, retirement).filter((other) => other !== reason);
  const fields = { vip: vip.address.text, reason, reasons };
  return [{ level: 'warn', message: 'unfit but the last announcer', fields }];
}

function setNews({ announcing: before }: BladeMemory, { announcing: after }: BladeMemory): readonly News[] {
  if (after === before || after.phase === 'inherited') return [];
  const fields = {
    vips: [...after.vips],
    before: before.phase === 'ours' ? [...before.vips] : [],
    ...withoutUndefined({ nextHop: after.nextHop }),
  };
  return [{ level: 'info', message: 'VIPs to announce changed', fields }];
}
