import { answersFor, answersOf, preferenceOf } from '../answers/answers.ts';
import { countries } from '../model/geo/countries.ts';
import { drainsOfCluster, isInForce } from '../model/platform/drains.ts';
import { entryAddresses } from '../model/platform/entries.ts';
import { clustersOfPolicy, failbackOf } from '../model/platform/policies.ts';
import type { TrafficPolicy } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { DnsPart } from './why/evidence.ts';
import { type Asking, askNameServers } from './why/gather.ts';

/**
 * Users who would be led to drained clusters, if these were not drained: what they are answered says whether DNS follows. Where only a hold
 * (`spec.failback`) of another cluster could lead anybody there, such users are asked for.
 */
export interface DrainQuestion {
  /** The key of the Drain in the platform. */
  readonly drain: string;
  readonly clusters: readonly string[];
  readonly policy: TrafficPolicy;
  readonly host: string;
  readonly country: string;
}

/** One question for each Drain of a cluster or site and each policy that it concerns; of users for whom `isAsked` (pure). */
export function drainQuestions(
  platform: Platform,
  nowMs: number,
  isAsked: (country: string) => boolean,
): readonly DrainQuestion[] {
  const drained = [...platform.clusters.keys()].filter((name) => drainsOfCluster(platform, name, nowMs).length > 0);
  return [...platform.drains].flatMap(([key, drain]) => {
    if (!isInForce(drain, nowMs)) return [];
    const clusters = drained.filter((name) => drainsOfCluster(platform, name, nowMs).includes(drain));
    const others = new Set(drained.filter((name) => !clusters.includes(name)));
    return [...platform.policies.values()].flatMap((policy) => {
      const concerned = clusters.filter((name) => clustersOfPolicy(policy).includes(name));
      const answers = answersOf(policy, others);
      const ledThere = (held: ReadonlySet<string>): string | undefined =>
        countries.find(({ code }) => {
          const led = isAsked(code) ? answersFor(preferenceOf(answers, code).tiers, held) : new Map<string, number>();
          return concerned.some((name) => led.has(name));
        })?.code;
      const whileHeld = mayBeHeld(policy, concerned).map((name) => ledThere(new Set([name])));
      const country = [ledThere(new Set()), ...whileHeld].find((code) => code !== undefined);
      const [host] = policy.spec.hosts;
      if (country === undefined || host === undefined) return [];
      return [{ drain: key, clusters: concerned, policy, host, country }];
    });
  });
}

/** The clusters that a zone may hold back, one at a time, but for these. */
function mayBeHeld(policy: TrafficPolicy, but: readonly string[]): readonly string[] {
  return failbackOf(policy) === undefined ? [] : clustersOfPolicy(policy).filter((name) => !but.includes(name));
}

/** What the name servers answer to users whom a Drain leads away. */
export interface Following {
  /** As clauses, one for each policy that the Drain concerns. */
  readonly text: string;
  /** True when some users are still led to what is drained. */
  readonly still: boolean;
}

/** So much is asked at most; each question goes to every name server of a zone. */
const mostQuestions = 20;

/**
 * Asks the name servers what they answer to users whom Drains lead away, for each Drain that DNS concerns. Never rejects, and takes no longer than
 * `within` does, which resolves when there is no more time.
 */
export async function askFollowing(
  platform: Platform,
  nowMs: number,
  asking: Pick<Asking, 'dns' | 'nameServers' | 'addressOf'>,
  within: Promise<string>,
): Promise<ReadonlyMap<string, Following>> {
  const questions = drainQuestions(platform, nowMs, (country) => asking.addressOf(country) !== undefined);
  const ask = (question: DrainQuestion): Promise<Following> =>
    Promise.race([
      askNameServers(platform, question, question.country, asking).then((parts) =>
        following(platform, question, parts),
      ),
      within.then((limit) => whether(question, limit)),
    ]);
  const notAsked = (question: DrainQuestion): Following =>
    whether(question, `only ${mostQuestions} questions are asked at a time`);
  const said = await Promise.all(
    questions.map(async (question, index) => ({
      drain: question.drain,
      ...(index < mostQuestions ? await ask(question) : notAsked(question)),
    })),
  );
  const byDrain = Map.groupBy(said, ({ drain }) => drain);
  return new Map(
    [...byDrain].map(([drain, all]) => [
      drain,
      { text: all.map(({ text }) => text).join('; '), still: all.some(({ still }) => still) },
    ]),
  );
}

const whether = ({ country, host }: DrainQuestion, why: string): Following => ({
  text: `whether ${country} for ${host} is led away is not known: ${why}`,
  still: false,
});

/** Whether answers lead away from the drained clusters (pure). */
function following(platform: Platform, question: DrainQuestion, parts: readonly DnsPart[]): Following {
  const { clusters, host, country } = question;
  const addresses = new Map(
    clusters.flatMap((name) => entryAddresses(platform, name).map(({ text }) => [text, name] as const)),
  );
  const who = `${country} for ${host}`;
  const silent = parts.flatMap((part) => ('problem' in part ? [`${part.server}: ${part.problem}`] : []));
  const answered = parts.flatMap((part) => ('problem' in part ? [] : [part]));
  const still = answered.filter((part) => part.addresses.some((address) => addresses.has(address)));
  if (still.length > 0) {
    const names = new Set(still.flatMap((part) => part.addresses.flatMap((address) => addresses.get(address) ?? [])));
    const by = still.map(({ server }) => server).join(', ');
    return { text: `${who} is still led to ${[...names].join(', ')} by ${by}`, still: true };
  }
  const empty = answered.filter((part) => part.addresses.length === 0);
  const unknown = [...silent, ...empty.map(({ server, rcode }) => `${server}: answers no address (${rcode})`)];
  const led = answered.length - empty.length;
  if (led === 0) return whether(question, unknown.join('; ') || 'no name server was asked');
  const asked = `${led} ${led === 1 ? 'name server' : 'name servers'} asked`;
  const what = [asked, ...unknown.map((text) => `not known: ${text}`)].join('; ');
  return { text: `${who} is led elsewhere now (${what})`, still: false };
}
