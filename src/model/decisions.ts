import type { Decision, DecisionKind } from './decision.ts';
import type { EdgeStatus, NetworkStatus } from './status.ts';
import type { SteeringStatus, ZoneApplyView, ZoneView } from './steering-status.ts';
import { withoutUndefined } from './values.ts';

type ServerStatus = EdgeStatus | NetworkStatus;
type Status = ServerStatus | SteeringStatus;

/** One thing that is so or not, and why. */
interface Fact {
  readonly subject: string;
  readonly is: boolean;
  readonly why?: string;
  readonly by?: string;
}

/** All facts of one sort at one moment; undefined while they are not known. A fact that is missing is no more. */
interface Group {
  readonly began: DecisionKind;
  readonly ended: DecisionKind;
  readonly facts: readonly Fact[] | undefined;
  /** What is so at the start is as it was before, and no news. */
  readonly adopts: boolean;
  /** Why a fact is missing that was there. */
  readonly whyGone: (subject: string) => string;
}

/** What was known at the last look. */
export interface Remembered {
  readonly groups: ReadonlyMap<string, ReadonlySet<string>>;
  readonly acceptedMs: number;
  /** Of the zones that were applied last. */
  readonly appliedMs: number;
}

/** At most so many decisions of one sort are listed for one moment. */
const listed = 50;
const longestText = 300;

/** What was decided between the last look at an agent's status and this one. Nothing is remembered before the first look. */
export function decisionsSince(
  before: Remembered | undefined,
  status: Status,
  nowMs: number,
): { readonly decisions: readonly Decision[]; readonly remembered: Remembered } {
  const decisions: Decision[] = [];
  const inputs = inputsOf(status);
  const note = (what: DecisionKind, { subject, why, by }: Omit<Fact, 'is'>): void => {
    const texts = withoutUndefined({ why: why?.slice(0, longestText), by: by?.slice(0, longestText) });
    decisions.push({ atMs: nowMs, what, subject: subject.slice(0, longestText), ...texts, inputs });
  };
  if (before === undefined) note('AgentStarted', { subject: subjectOf(status) });
  const groups = new Map(before?.groups);
  for (const group of groupsOf(status)) {
    if (group.facts === undefined) continue;
    const known = groups.get(group.began);
    const now = new Set(group.facts.filter(({ is }) => is).map(({ subject }) => subject));
    groups.set(group.began, now);
    if (known === undefined && group.adopts) continue;
    few(
      group.facts.filter(({ is, subject }) => is && known?.has(subject) !== true),
      group.began,
      note,
    );
    const ended = [...(known ?? [])].filter((subject) => !now.has(subject));
    if (ended.length === 0) continue;
    const reasons = new Map(group.facts.map((fact) => [fact.subject, fact]));
    few(
      ended.map((subject) => reasons.get(subject) ?? { subject, why: group.whyGone(subject) }),
      group.ended,
      note,
    );
  }
  const accepted = (status.accepted ?? []).filter(({ atMs }) => atMs > (before?.acceptedMs ?? nowMs));
  for (const { fingerprint, by } of accepted) note('Accepted', { subject: fingerprint, ...withoutUndefined({ by }) });
  const acceptedMs = Math.max(before?.acceptedMs ?? nowMs, ...accepted.map(({ atMs }) => atMs));
  const applied = 'zones' in status ? status.applied : [];
  const appliedMs = Math.max(before?.appliedMs ?? 0, ...applied.map(({ atMs }) => atMs));
  const fresh = applied.filter(({ atMs }) => atMs > (before?.appliedMs ?? 0));
  decisions.push(...fresh.toReversed().map((one) => ({ ...applyDecision(one), inputs })));
  return { decisions, remembered: { groups, acceptedMs, appliedMs } };
}

/** Notes the first of many, and how many more there are. */
function few(
  facts: readonly Omit<Fact, 'is'>[],
  what: DecisionKind,
  note: (what: DecisionKind, fact: Omit<Fact, 'is'>) => void,
): void {
  for (const fact of facts.slice(0, listed)) note(what, fact);
  if (facts.length > listed) note('MoreChanged', { subject: `${facts.length - listed} more`, why: what });
}

function applyDecision({ provider, zone, atMs, checksum, generation, hosts, countries }: ZoneApplyView): Decision {
  const subject = `${provider} zone ${zone}`;
  const why = `plan ${checksum}, generation ${generation}, by the agent itself`;
  return { atMs, what: 'DnsApplied' satisfies DecisionKind, subject, why, hosts, countries };
}

function subjectOf(status: Status): string {
  if ('zones' in status) return 'steering agent';
  return 'blade' in status ? `blade ${status.blade}` : `worker ${status.node}`;
}

function inputsOf(status: Status): string {
  if ('zones' in status) return `spec ${status.platform.phase}`;
  const { platform, source, ...rest } = status;
  const parts = [`spec ${platform.phase}`, `cluster ${source.phase}`];
  if ('generation' in rest) parts.push(`table ${rest.generation}`);
  return parts.join(', ');
}

function groupsOf(status: Status): readonly Group[] {
  if ('zones' in status) return [...commonGroups(status), ...steeringGroups(status)];
  const own = 'blade' in status ? bladeGroups(status) : workerGroups(status);
  return [sourceGroup(status), ...commonGroups(status), sessionGroup(status), ...own];
}

function sourceGroup({ source, cluster }: ServerStatus): Group {
  const stale = source.phase === 'stale';
  return {
    began: 'SourceStale',
    ended: 'SourceLive',
    adopts: false,
    facts:
      source.phase === 'syncing' ? undefined : [{ subject: `cluster ${cluster}`, is: stale, ...whySource(source) }],
    whyGone: () => 'it is read again',
  };
}

function sessionGroup(status: ServerStatus): Group {
  const { neighbors } = 'blade' in status ? status.bgp : status;
  return {
    began: 'SessionUp',
    ended: 'SessionDown',
    adopts: true,
    facts:
      neighbors.length === 0
        ? undefined
        : neighbors.map(({ address, up, reason }) => ({
            subject: `session ${address}`,
            is: up,
            ...withoutUndefined({ why: up ? undefined : reason }),
          })),
    whyGone: () => 'ExaBGP has it no longer',
  };
}

function commonGroups({ platform, frozen, doubts = [], accepted = [] }: Status): readonly Group[] {
  const acceptedBy = new Map(accepted.map(({ fingerprint, by }) => [fingerprint, by ?? 'a person']));
  return [
    {
      began: 'SpecRefused',
      ended: 'SpecTaken',
      adopts: false,
      facts: [
        { subject: 'platform spec', is: platform.phase !== 'current', ...withoutUndefined({ why: platform.message }) },
      ],
      whyGone: () => 'it is valid again',
    },
    {
      began: 'FreezeBegan',
      ended: 'FreezeEnded',
      adopts: false,
      facts: frozen === undefined ? [] : [{ subject: 'platform', is: true, why: frozen.reason, by: frozen.by }],
      whyGone: () => 'it was thawed, or its time is over',
    },
    {
      began: 'DoubtBegan',
      ended: 'DoubtEnded',
      adopts: false,
      facts: doubts.map(({ reason, message, fingerprint }) => ({
        subject: fingerprint ?? reason,
        is: true,
        why: `${message} (${reason})`,
      })),
      whyGone: (subject) => {
        const by = acceptedBy.get(subject);
        return by === undefined ? 'there is nothing to doubt any more, or something else' : `accepted by ${by}`;
      },
    },
  ];
}

/** What waits and what fails, by zone, and whether this agent leads. */
function steeringGroups({ zones, leadership }: SteeringStatus): readonly Group[] {
  const factOf = ({ provider, zone, conditions }: Pick<ZoneView, 'provider' | 'zone' | 'conditions'>): Fact => ({
    subject: `${provider} zone ${zone}`,
    is: true,
    why: conditions.map(({ message, reason }) => `${message} (${reason})`).join('; '),
  });
  const inState = (state: ZoneView['state']): readonly Fact[] => zones.filter((one) => one.state === state).map(factOf);
  const withReason = (reason: string): readonly Fact[] =>
    zones.flatMap(({ conditions, ...zone }) => {
      const some = conditions.filter((one) => one.reason === reason);
      return some.length === 0 ? [] : [factOf({ ...zone, conditions: some })];
    });
  return [
    {
      began: 'LeadBegan',
      ended: 'LeadEnded',
      adopts: false,
      facts: [{ subject: 'steering', is: leadership.leading, ...withoutUndefined({ why: leadership.error }) }],
      whyGone: () => 'it holds the Lease no more',
    },
    {
      began: 'DnsWaits',
      ended: 'DnsWaitEnded',
      adopts: false,
      facts: inState('waits'),
      whyGone: () => 'nothing waits',
    },
    { began: 'DnsStuck', ended: 'DnsUnstuck', adopts: false, facts: inState('fails'), whyGone: () => 'it works again' },
    {
      began: 'DnsEdited',
      ended: 'DnsEditEnded',
      adopts: false,
      facts: zones.flatMap(({ provider, zone, drift }) =>
        drift === undefined ? [] : [{ subject: `${provider} zone ${zone}`, is: true, why: drift.what }],
      ),
      whyGone: () => 'it is as it was written, or was written anew',
    },
    {
      began: 'DnsUnanswered',
      ended: 'DnsAnswered',
      adopts: false,
      facts: withReason('AnsweredOtherwise'),
      whyGone: () => 'all answer as planned, or the zone was written anew',
    },
  ];
}

function whySource({ reason, message }: ServerStatus['source']): { readonly why?: string } {
  return reason === undefined ? {} : { why: `${reason}${message === undefined ? '' : `: ${message}`}` };
}

function bladeGroups({ blade, vips, bgp, tableRefused, drain }: EdgeStatus): readonly Group[] {
  return [
    {
      began: 'VipAnnounced',
      ended: 'VipWithdrawn',
      adopts: true,
      facts:
        bgp.relay !== 'synced'
          ? undefined
          : vips.map(({ address, announced, reasons }) => ({
              subject: `VIP ${address}`,
              is: announced,
              ...withoutUndefined({ why: reasons.length === 0 ? undefined : reasons.join(', ') }),
            })),
      whyGone: () => 'the pool has it no longer',
    },
    {
      began: 'TableRefused',
      ended: 'TableTaken',
      adopts: false,
      facts: tableRefused === undefined ? [] : [{ subject: 'table', is: true, why: tableRefused }],
      whyGone: () => 'nginx took a newer one',
    },
    {
      began: 'DrainBegan',
      ended: 'DrainEnded',
      adopts: false,
      facts:
        drain === undefined
          ? []
          : [{ subject: `blade ${blade}`, is: true, why: `Drain/${drain.name}: ${drain.reason}` }],
      whyGone: () => 'it has ended, or was removed',
    },
  ];
}

function workerGroups({ node, relay, announced, refusals, reason }: NetworkStatus): readonly Group[] {
  const drained = reason === 'NodeDrained';
  const refused = new Map(refusals.map(({ subject, reason: why }) => [subject, why]));
  return [
    {
      began: 'RouteAnnounced',
      ended: 'RouteWithdrawn',
      adopts: true,
      facts:
        relay !== 'synced'
          ? undefined
          : announced
              .filter((route) => route.class === 'pods')
              .map(({ prefix, because }) => ({ subject: `route ${prefix}`, is: true, why: because })),
      whyGone: (subject) => refused.get(subject.replace('route ', '')) ?? reason ?? 'it is not wanted any more',
    },
    {
      began: 'DrainBegan',
      ended: 'DrainEnded',
      adopts: false,
      facts: drained ? [{ subject: `worker ${node}`, is: true, why: 'a Drain of this worker is in force' }] : [],
      whyGone: () => 'it has ended, or was removed',
    },
  ];
}
