import { clusterByAddress } from '../../../model/platform/entries.ts';
import { InputError } from '../../../model/problem.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { messageOf } from '../../../model/values.ts';
import type { ProviderName } from '../../../planes/steering/dialects/dialect.ts';
import type { Standing, StandingQuestion } from '../../../planes/steering/plan/standing.ts';
import type { NameServerArguments } from '../../name-servers.ts';
import { showProgress } from '../../progress.ts';
import { connectReader, type ProviderOptions, probeFromHere } from '../connect.ts';

/** What zones and name servers say about the answer to one country, as far as they could be asked. */
export interface Found {
  readonly zones: readonly (Standing | Unread)[];
  /** Absent when clusters are supposed to be down: name servers answer in the health that is. */
  readonly nameServers?: readonly Answered[];
}

interface Unread {
  readonly provider: ProviderName;
  readonly zone: string;
  readonly problem: string;
}

interface Answered {
  readonly server: string;
  /** `cloud (203.0.113.10)`, or the code of an answer without addresses. */
  readonly answer?: string;
  readonly problem?: string;
}

/** A provider that does not answer is asked again for so long. */
const patienceMs = 3000;

/** Reads the zone of the policy at each provider, and asks its name servers. Never rejects for one that cannot be asked. */
export async function find(
  platform: Platform,
  question: Omit<StandingQuestion, 'nowMs' | 'probe'>,
  options: ProviderOptions & NameServerArguments,
): Promise<Found> {
  const { policy, supposed } = question;
  const names = policy.spec.dns.providers.filter((name) => options.provider === 'all' || options.provider === name);
  const progress = showProgress();
  const [zones, nameServers] = await Promise.all([
    Promise.all(names.map((name) => zoneAt(platform, name, question, options))),
    supposed === undefined ? askAll(platform, question, options) : undefined,
  ]).finally(progress.end);
  return { zones, ...(nameServers === undefined ? {} : { nameServers }) };
}

async function zoneAt(
  platform: Platform,
  provider: ProviderName,
  question: Omit<StandingQuestion, 'nowMs' | 'probe'>,
  options: ProviderOptions,
): Promise<Standing | Unread> {
  const progress = showProgress();
  try {
    const { standingOf } = await import('../../../planes/steering/plan/standing.ts');
    const reader = await connectReader(provider, options, progress, { patienceMs });
    return await standingOf(platform, reader, { ...question, nowMs: Date.now(), probe: probeFromHere });
  } catch (error) {
    const said =
      error instanceof InputError ? error.problems.map(({ message }) => message).join('; ') : messageOf(error);
    return { provider, zone: question.policy.spec.dns.zone, problem: said };
  } finally {
    progress.end();
  }
}

async function askAll(
  platform: Platform,
  { policy, host, country, network }: Omit<StandingQuestion, 'nowMs' | 'probe'>,
  options: NameServerArguments,
): Promise<readonly Answered[]> {
  const { asking } = await import('../../why/asking.ts');
  const { askNameServers } = await import('../../../observe/why/gather.ts');
  const clusterOf = clusterByAddress(platform);
  const means = await asking(platform, options);
  const parts =
    network === undefined
      ? await askNameServers(platform, { policy, host }, country, means)
      : await askNameServers(platform, { policy, host }, network, { ...means, addressOf: () => network });
  return parts.map((part): Answered => {
    const { server } = part;
    if ('problem' in part) return { server, problem: part.problem };
    const named = part.addresses.map((one) => `${clusterOf.get(one) ?? 'no cluster'} (${one})`);
    return { server, answer: named.join(', ') || `nothing (${part.rcode})` };
  });
}

/** Lines for people. */
export async function renderFound({ zones, nameServers = [] }: Found): Promise<readonly string[]> {
  const { renderStanding } = await import('../../../planes/steering/plan/standing.ts');
  return [
    ...zones.flatMap((zone) =>
      'problem' in zone
        ? [`  the zone ${zone.zone} of ${zone.provider} was not read: ${zone.problem}`]
        : renderStanding(zone),
    ),
    ...nameServers.map(({ server, answer, problem }) =>
      problem === undefined ? `  ${server} answers ${answer}` : `  not asked, ${server}: ${problem}`,
    ),
  ];
}
