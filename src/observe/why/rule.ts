import { hostPrefix, parseAddress } from '../../model/address.ts';
import type { Snapshot } from '../snapshot.ts';
import { fails, type Hop, holds, unknown, upToFirstFault } from './chain.ts';
import type { Asked, Evidence, RoutePart, RouteReading } from './evidence.ts';
import { routeOfWorker } from './worker.ts';

type Answered = Extract<RoutePart, { readonly answer: RouteReading }>;

/** From the rule that takes a request on the blades of a pool, to the pods. `blades` are those that a user can meet. */
export function ruleHops(
  evidence: Evidence,
  asked: Asked,
  pool: { readonly name: string; readonly cluster: string; readonly blades: ReadonlySet<string> },
): readonly Hop[] {
  const subject = `${asked.host}${asked.path}`;
  const parts = evidence.routes.filter(
    (part) => part.pool === pool.name && part.host === asked.host && part.path === asked.path,
  );
  const answered = parts.filter((part): part is Answered => 'answer' in part);
  const met = answered.filter(({ blade }) => pool.blades.has(blade));
  const [first, ...others] = met.length > 0 ? met : answered;
  if (first === undefined) return [unknown('rule', subject, unasked(parts, pool.name))];
  const different = others.filter(({ answer }) => digest(answer) !== digest(first.answer));
  if (different.length > 0) return [differ(subject, [first, ...different])];
  const rule = ruleHop(subject, first.answer, pool.name);
  const { backend } = first.answer;
  if (rule.verdict !== 'holds' || backend === undefined) return [rule];
  const way = [rule, ...certificateHops(first.answer)];
  const service = serviceHop(backend);
  if (service.verdict !== 'holds') return [...way, service];
  const endpoints = endpointsHop(backend);
  if (backend.total === 0) return [...way, service, endpoints];
  return [...way, service, endpoints, ...podHops(evidence.snapshot, backend.endpoints, pool.cluster)];
}

function unasked(parts: readonly RoutePart[], pool: string): string {
  const why = parts.flatMap((part) => ('problem' in part ? [`${part.blade} ${part.problem}`] : []));
  return why.length === 0 ? `was asked of no blade of pool ${pool}` : `is not known: ${why.join('; ')}`;
}

/** What must be the same on every blade; the order of endpoints is. */
function digest({ refused, rule, backend }: RouteReading): string {
  return JSON.stringify([refused, rule, backend?.service, backend?.exists, backend?.endpoints]);
}

function differ(subject: string, parts: readonly Answered[]): Hop {
  const said = parts.map(({ blade, answer }) => {
    const { refused, backend } = answer;
    const leads = backend === undefined ? 'nothing' : `Service ${backend.service} with ${backend.total} endpoints`;
    return `${blade}: ${refused ?? leads}`;
  });
  return fails('rule', subject, 'RulesDiffer', `is not the same on all blades (${said.join('; ')})`);
}

function ruleHop(
  subject: string,
  { refused, rule, ingress, limits = [], faulty, backend }: RouteReading,
  pool: string,
): Hop {
  const problem = faulty.flatMap(({ object, problems }) => problems.map((one) => ({ object, ...one })))[0];
  const because = problem === undefined ? '' : `; ${problem.object}: ${problem.message} (${problem.reason})`;
  if (refused === 'NoTable')
    return unknown('rule', subject, `is not known: the blades of pool ${pool} have read no cluster yet`);
  if (refused === 'HostUnknown')
    return fails(
      'rule',
      subject,
      'HostUnknown',
      `has no Ingress in pool ${pool} that serves the host${because}`,
      problem?.fix,
    );
  if (refused === 'PathUnknown')
    return fails('rule', subject, 'PathUnknown', `is of a host whose paths do not take it${because}`, problem?.fix);
  const owner = `${rule?.path === undefined ? 'the default backend' : `${rule.match} ${rule.path}`} of ${ingress === undefined ? 'an Ingress' : `Ingress/${ingress}`}`;
  if (refused !== undefined && (refused !== 'NoEndpoints' || backend === undefined))
    return fails(
      'rule',
      subject,
      'RuleRefused',
      `is taken by ${owner}, which answers 503 (${refused})${because}`,
      problem?.fix,
    );
  const meanings: Readonly<Record<string, string>> = {
    addresses: 'only some client addresses are served',
    redirect: 'requests are redirected',
    https: 'plain HTTP is redirected',
  };
  const but = limits.map((limit) => meanings[limit] ?? limit);
  return holds('rule', subject, `is taken by ${owner}${but.length === 0 ? '' : `; ${but.join(', ')}`}`);
}

/** What is wrong with the certificate of the host, as the Ingresses that name the host say; a pair that is kept is served as before. */
function certificateHops({ faulty }: RouteReading): readonly Hop[] {
  return faulty.flatMap(({ object, problems }) => {
    if (problems.some(({ reason }) => reason === 'CertificateKept')) return [];
    const problem = problems.find(({ reason }) => /^(Certificate|Secret)/.test(reason));
    if (problem === undefined) return [];
    const { message, reason, fix } = problem;
    return [
      fails(
        'certificate',
        object,
        'CertificateFaulty',
        `has a certificate that browsers refuse: ${message} (${reason})`,
        fix,
      ),
    ];
  });
}

function serviceHop({ service, port, exists }: NonNullable<RouteReading['backend']>): Hop {
  return exists
    ? holds('Service', service, `has port ${port}`)
    : fails('Service', service, 'ServiceMissing', `does not exist, or has no TCP port ${port}`);
}

function endpointsHop({ service, ready, total, problems }: NonNullable<RouteReading['backend']>): Hop {
  const left = problems.map(({ message, reason }) => `${message} (${reason})`).join('; ');
  if (total === 0)
    return fails(
      'endpoints',
      service,
      'NoEndpoints',
      `has no endpoint that may be asked${left === '' ? '' : `: ${left}`}`,
    );
  if (ready === 0)
    return fails('endpoints', service, 'NoReadyEndpoints', `has ${total} endpoints, none of which is ready`);
  return holds('endpoints', service, `has ${ready} ready endpoints${left === '' ? '' : `; left out: ${left}`}`);
}

/** The ways to the pods, in one hop when all hold; else the way to the first pod that cannot be reached, with how many there are. */
function podHops(
  snapshot: Snapshot,
  endpoints: NonNullable<RouteReading['backend']>['endpoints'],
  cluster: string,
): readonly Hop[] {
  const ways = endpoints.map(({ address }) => {
    const parsed = parseAddress(address);
    const hops = parsed === undefined ? [] : routeOfWorker(snapshot, { prefix: hostPrefix(parsed), cluster });
    return { address, hops, broken: hops.find(({ verdict }) => verdict !== 'holds') };
  });
  const bad = ways.filter(({ broken }) => broken !== undefined);
  const first = bad.find(({ broken }) => broken?.verdict === 'fails') ?? bad[0];
  if (first === undefined) {
    const workers = [
      ...new Set(ways.flatMap(({ hops }) => hops.flatMap(({ hop, subject }) => (hop === 'worker' ? [subject] : [])))),
    ];
    return [
      holds('worker', workers.join(', '), `announce the way to ${ways.map(({ address }) => address).join(', ')}`),
    ];
  }
  const share = `; ${bad.length} of ${ways.length} endpoints are concerned, ${first.address} first`;
  return upToFirstFault(first.hops).map((hop) =>
    hop.verdict === 'holds' ? hop : { ...hop, what: `${hop.what}${share}` },
  );
}
