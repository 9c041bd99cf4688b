import { differences } from './differences.ts';
import { doubtsOf, whatToDo } from './doubts.ts';
import { drainInDnsText } from './drains.ts';
import { endpointFindings } from './endpoint-findings.ts';
import { type Finding, severities } from './finding.ts';
import { noticeFindings } from './notice-findings.ts';
import { publishingFindings } from './publishing-findings.ts';
import type { SeenReason } from './reasons.ts';
import { clustersToldOf, objectFindings, parityFindings, policyFindings } from './served-findings.ts';
import {
  type AgentPart,
  type ClusterPart,
  type EdgePart,
  isCarried,
  type NetworkPart,
  type PoolPart,
  type Snapshot,
} from './snapshot.ts';
import { specFindings } from './spec-findings.ts';
import { steeringFindings } from './steering.ts';

type Answered = Exclude<AgentPart, { readonly problem: string }>;

/** Every finding of a snapshot, the worst first. */
export function findingsOf(snapshot: Snapshot): readonly Finding[] {
  if (snapshot.agents.every((part) => 'problem' in part))
    return worstFirst([nobodyAnswers(snapshot), ...steeringFindings(snapshot.steering ?? []), ...drainNotes(snapshot)]);
  const dead = deadSites(snapshot);
  const served = servedVips(snapshot);
  const deadNames = new Set(dead.map(({ subject }) => subject));
  const findings = [
    ...doubtFindings(snapshot),
    ...dead,
    ...snapshot.pools.flatMap((pool) => vipFindings(pool, snapshot.agents)),
    ...clusterFindings(snapshot),
    ...snapshot.agents.flatMap((part) => (deadNames.has(siteText(part)) ? [] : agentFindings(part, served))),
    ...snapshot.pools.flatMap((pool) => policyFindings(pool, snapshot.agents)),
    // An object that is at fault is the cause of what a cluster lacks.
    ...objectFindings(snapshot.agents),
    ...parityFindings(snapshot.agents),
    ...specFindings(snapshot),
    ...steeringFindings(snapshot.steering ?? [], clustersToldOf(snapshot.agents)),
    ...differences(snapshot).map((difference) => ({ severity: 'warning' as const, ...difference })),
    ...snapshot.clusters.flatMap((cluster) => unknownWorkers(cluster, snapshot.agents)),
    ...drainNotes(snapshot),
  ];
  return worstFirst(findings);
}

function worstFirst(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
}

/** Who drains what is known from the spec, also where no agent answers. */
function drainNotes(snapshot: Snapshot): readonly Finding[] {
  return snapshot.drains.map(({ name, target, reason, expires, dns }) => {
    const said = [drainInDnsText(name, snapshot), dns === undefined ? undefined : `DNS: ${dns}`];
    const clauses = said.flatMap((text) => (text === undefined ? [] : [`; ${text}`])).join('');
    return {
      severity: 'note',
      subject: target,
      what: `is drained until ${expires} by Drain/${name}: ${reason}${clauses}`,
    };
  });
}

/** Then the machine that asks is more likely cut off than every site is dead; of blades and workers nothing else can be said. */
function nobodyAnswers({ agents, steering = [] }: Snapshot): Finding {
  const steered = steering.some((part) => 'steering' in part);
  if (agents.length === 0) {
    const none = 'no blade, and no worker that a cluster lists';
    const what = steered ? `has ${none}, so that none could be asked` : `has no agent that could be asked: ${none}`;
    return { severity: 'unknown', subject: 'the platform', what };
  }
  const problems = agents.flatMap((part) => ('problem' in part ? [part.problem] : []));
  const [subject, known] = steered
    ? ['no blade or worker', 'nothing is known of them']
    : ['no agent', 'nothing is known'];
  const what = `answers here: none of ${agents.length} (${commonest(problems)}); this machine may not reach them, so ${known}`;
  return { severity: 'unknown', subject, what };
}

const workersUnknown: SeenReason = 'WorkersUnknown';
const workersUnplaced: SeenReason = 'WorkersUnplaced';

/** What cannot be said of the workers of a cluster. */
function unknownWorkers(
  { name, problem, unplaced = [] }: ClusterPart,
  agents: readonly AgentPart[],
): readonly Finding[] {
  const asked = agents.some(({ target }) => target.plane === 'network' && target.cluster === name);
  const listed = asked
    ? 'does not list its workers here, so that those it listed before are asked'
    : 'has workers that are not known here, so their agents are not asked';
  const why = [
    ...(problem === undefined ? [] : [`${listed}: ${problem} (${workersUnknown})`]),
    ...(unplaced.length === 0
      ? []
      : [
          `has workers that cannot be asked, because their Nodes name no internal address inside the servers' prefixes of a Site: ${unplaced.slice(0, 5).join(', ')} (${workersUnplaced})`,
        ]),
  ];
  return why.map((what) => ({ severity: 'unknown', subject: `cluster ${name}`, what }));
}

function siteText({ target }: AgentPart): string {
  return `site ${target.site ?? ''}`;
}

/** The sites of whose agents none answers; two or more, because one agent says little of a site. */
function deadSites({ agents }: Snapshot): readonly Finding[] {
  const bySite = Map.groupBy(
    agents.filter(({ target }) => target.site !== undefined),
    siteText,
  );
  return [...bySite].flatMap(([subject, parts]) => {
    const problems = parts.flatMap((part) => ('problem' in part ? [part.problem] : []));
    if (parts.length < 2 || problems.length < parts.length) return [];
    return [
      {
        severity: 'outage' as const,
        subject,
        what: `is silent as seen from here: none of its ${parts.length} agents answers (${commonest(problems)})`,
      },
    ];
  });
}

function commonest(texts: readonly string[]): string {
  const [first] = [...Map.groupBy(texts, (text) => text)].toSorted(([, a], [, b]) => b.length - a.length);
  return first?.[0] ?? '';
}

/** What a person asked for, and what follows from it. */
const onPurpose: ReadonlySet<string> = new Set(['Draining', 'Stopping', 'LastAnnouncer']);

/** Who announces each VIP of a pool. That nobody does is only said when every blade was asked with success. */
function vipFindings(pool: PoolPart, agents: readonly AgentPart[]): readonly Finding[] {
  const parts = agents.filter(({ target }) => target.pool === pool.name);
  const blades = parts.flatMap((part) => ('edge' in part ? [part.edge] : []));
  return pool.vips.flatMap((vip): readonly Finding[] => {
    const seen = blades.map((blade) => ({ blade, state: blade.vips.find(({ address }) => address === vip) }));
    const announcers = seen.filter(({ state }) => state?.announced === true);
    if (announcers.length > 0) {
      const forced = announcers.every(({ state }) => state?.fit !== true);
      const drained = seen.every(({ state }) => (state?.reasons ?? []).every((reason) => onPurpose.has(reason)));
      if (forced && drained)
        return [
          {
            severity: 'note',
            subject: `VIP ${vip}`,
            what: `of pool ${pool.name} stays announced while all its blades are drained, because no other is left`,
          },
        ];
      return forced
        ? [
            {
              severity: 'fault',
              subject: `VIP ${vip}`,
              what: `of pool ${pool.name} is announced only because nobody fit is left (${whyUnfit(vip, seen)})`,
            },
          ]
        : [];
    }
    const silent = parts.length - blades.length;
    if (silent === 0)
      return [
        {
          severity: 'outage',
          subject: `VIP ${vip}`,
          what: `of pool ${pool.name} is announced by nobody (${whyUnfit(vip, seen)})`,
        },
      ];
    const asked =
      blades.length === 0
        ? 'no blade answers'
        : `${silent} of ${parts.length} blades do not answer, the others do not announce it`;
    return [
      { severity: 'unknown', subject: `VIP ${vip}`, what: `of pool ${pool.name} may be announced or not: ${asked}` },
    ];
  });
}

function whyUnfit(
  vip: string,
  seen: readonly { readonly blade: EdgePart; readonly state: EdgePart['vips'][number] | undefined }[],
): string {
  return seen
    .map(({ blade, state }) => {
      const down = isCarried(blade.bgp.neighbors, vip) ? [] : ['no BGP session'];
      const why = [...(state?.reasons ?? []), ...down];
      return `${blade.blade}: ${why.length === 0 ? 'not announced' : why.join(', ')}`;
    })
    .join('; ');
}

/** What agents doubt: a fault until it is settled, above all where it takes effect by itself. The text of that has its own time. */
function doubtFindings(snapshot: Snapshot): readonly Finding[] {
  return doubtsOf(snapshot).map((doubt) => ({
    severity: 'fault',
    subject: `cluster ${doubt.cluster}`,
    what: `is in doubt: ${[`${doubt.message} (${doubt.reason})`, ...whatToDo(doubt, snapshot.takenAtMs)].join('; ')}`,
    ...(doubt.untilMs === undefined && { sinceMs: doubt.sinceMs }),
  }));
}

/** What is said as a doubt already. */
function isDoubted(part: EdgePart | NetworkPart, reason: string | undefined): boolean {
  return part.doubts.some((doubt) => doubt.reason === reason);
}

/** A cluster that all its agents have lost for the same reason is one finding, and not one for each agent. */
function clusterFindings({ agents }: Snapshot): readonly Finding[] {
  const answered = agents.flatMap((part) => ('problem' in part ? [] : [part]));
  return [...Map.groupBy(answered, ({ target }) => target.cluster)].flatMap(([cluster, parts]) => {
    const stale = parts.filter(
      (part) => sourceOf(part).phase !== 'live' && !isDoubted(stateOf(part), sourceOf(part).reason),
    );
    if (stale.length === 0) return [];
    const reasons = stale.map((part) => sourceOf(part).reason ?? sourceOf(part).phase);
    const since = Math.min(...stale.map((part) => sourceOf(part).sinceMs ?? Infinity));
    const who =
      stale.length === parts.length
        ? `by none of its ${parts.length} agents`
        : `not by ${stale.map(({ target }) => target.server).join(', ')}`;
    return [
      {
        severity: 'fault' as const,
        subject: `cluster ${cluster}`,
        what: `is read ${who} (${commonest(reasons)}); what they knew stays in force`,
        ...(since === Infinity ? {} : { sinceMs: since }),
      },
    ];
  });
}

function stateOf(part: Answered): EdgePart | NetworkPart {
  return 'edge' in part ? part.edge : part.network;
}

function sourceOf(part: Answered): EdgePart['source'] {
  return stateOf(part).source;
}

/** The VIPs that a fit blade announces; of the others the VIP's own finding says what keeps each blade from it. */
function servedVips({ agents }: Snapshot): ReadonlySet<string> {
  const vips = agents.flatMap((part) => ('edge' in part ? part.edge.vips : []));
  return new Set(vips.filter(({ fit, announced }) => fit && announced).map(({ address }) => address));
}

function agentFindings(part: AgentPart, served: ReadonlySet<string>): readonly Finding[] {
  const subject = part.target.server;
  if ('problem' in part) return [{ severity: 'fault', subject, what: part.problem }];
  const mine = 'edge' in part ? bladeFindings(part.edge, served) : workerFindings(part.network);
  return [...sessionFindings(part), ...yieldFindings(part), ...commonFindings(stateOf(part)), ...mine].map(
    (finding) => ({
      subject,
      ...finding,
    }),
  );
}

type Own = Omit<Finding, 'subject'>;

function sessionFindings(part: Answered): readonly Own[] {
  const { relay, neighbors } = 'edge' in part ? part.edge.bgp : part.network;
  if (relay !== 'synced' && relay !== 'syncing')
    return [{ severity: 'fault', what: `has no ExaBGP that answers (${relay})` }];
  const down = neighbors.filter(({ up }) => !up);
  if (neighbors.length === 0) return [{ severity: 'fault', what: 'knows no BGP session' }];
  if (down.length === 0) return [];
  const why = down.map(({ address, reason }) => `${address}${reason === undefined ? '' : `: ${reason}`}`).join('; ');
  const since = Math.max(...down.map(({ changedAtMs }) => changedAtMs ?? -Infinity));
  return [
    {
      severity: 'fault',
      what:
        down.length === neighbors.length
          ? `has no BGP session (${why})`
          : `lacks ${down.length} of ${neighbors.length} BGP sessions (${why})`,
      ...(since === -Infinity ? {} : { sinceMs: since }),
    },
  ];
}

function yieldFindings(part: Answered): readonly Own[] {
  const { yielded } = 'edge' in part ? part.edge.bgp : part.network;
  if (yielded === undefined || yielded.untilMs !== undefined) return [];
  const why = yielded.asked === true ? 'the agent cannot read its cluster' : 'no agent was heard';
  const what = `has routes that yield to other servers, because ${why} (RoutesYield)`;
  return [{ severity: 'warning', what, sinceMs: yielded.sinceMs }];
}

function commonFindings(part: EdgePart | NetworkPart): readonly Own[] {
  const { platform, credentials, source, notices = [] } = part;
  const findings: Own[] = [...noticeFindings(notices, (reason) => isDoubted(part, reason)), ...endpointFindings(part)];
  if (platform.phase !== 'current')
    findings.push({
      severity: 'warning',
      what: `cannot read the newest platform spec, the last good one is in force: ${platform.message ?? platform.reason ?? platform.phase}`,
    });
  if (credentials?.endsWithinDays !== undefined)
    findings.push({
      severity: 'warning',
      what: `has credentials for its cluster that end within ${credentials.endsWithinDays} days`,
    });
  if (source.phase === 'live' && source.servingSnapshot === true)
    findings.push({ severity: 'warning', what: 'serves the state that it kept on disk' });
  return findings;
}

function bladeFindings(part: EdgePart, served: ReadonlySet<string>): readonly Own[] {
  const { fault, tableRefused, nginx, conditions } = part;
  const findings: Own[] = [];
  if (fault !== undefined) findings.push({ severity: 'fault', what: `is unfit: ${fault}` });
  else if (nginx === undefined) findings.push({ severity: 'fault', what: 'has no nginx that answers' });
  if (tableRefused !== undefined)
    findings.push({ severity: 'fault', what: `has an nginx that refused the newest table: ${tableRefused}` });
  findings.push(...vipStateFindings(part, served), ...publishingFindings(part.publishing));
  const { partial, refused } = conditions;
  // What the blade names is said of the objects.
  if (partial + refused > 0 && (part.refused ?? []).length === 0)
    findings.push({ severity: 'warning', what: `serves ${partial} objects in part and refuses ${refused}` });
  return findings;
}

/** What keeps this blade from a VIP, also while another blade has it: then half of what is there for a failure is gone. */
function vipStateFindings(
  { vips, vipsMissing, bgp, fault, draining }: EdgePart,
  served: ReadonlySet<string>,
): readonly Own[] {
  const refused = new Map(
    bgp.refusals.map(({ prefix, reason, message }) => [prefix.replace(/\/\d+$/, ''), `${message} (${reason})`]),
  );
  return vips.flatMap(({ address, fit, announced, reasons }): readonly Own[] => {
    if (!served.has(address)) return [];
    const against = [
      ...reasons.filter((reason) => !onPurpose.has(reason)),
      ...[refused.get(address), vipsMissing[address]].filter((text) => text !== undefined),
    ];
    if (against.length > 0 && fault === undefined)
      return [{ severity: 'fault', what: `cannot serve VIP ${address}: ${against.join('; ')}` }];
    if (fit && !announced && !draining && isCarried(bgp.neighbors, address))
      return [{ severity: 'fault', what: `does not announce VIP ${address} to any router, though it could serve it` }];
    return [];
  });
}

function workerFindings({ action, reason, wanted, announced, refusals }: NetworkPart): readonly Own[] {
  if (action === 'hold')
    return [{ severity: 'fault', what: `holds its routes as they are (${reason ?? 'no reason given'})` }];
  const held = new Set(announced.map(({ prefix }) => prefix));
  const missing = wanted.filter(({ prefix }) => !held.has(prefix)).map(({ prefix }) => prefix);
  const findings: Own[] = refusals.map(({ subject, reason: why, message }) => ({
    severity: 'warning',
    what: `does not announce ${subject}: ${message} (${why})`,
  }));
  if (missing.length > 0)
    findings.unshift({
      severity: 'fault',
      what: `does not announce ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}, which it wants to`,
    });
  return findings;
}
