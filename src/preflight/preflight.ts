import type { KubeClient } from '../kube/api/client.ts';
import { type CalicoGroup, calicoGroups } from '../kube/calico.ts';
import { type Need, reads } from '../kube/needs.ts';
import { rightsOf } from '../kube/rights.ts';
import type { Prefix } from '../model/address.ts';
import { systemNamespace } from '../model/contract.ts';
import type { PodsFrom } from '../planes/network/needs.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Agent, needsOf } from './agents.ts';
import { type Finding, failed, ok, unanswered } from './finding.ts';
import {
  calicoGroup,
  gatherCalico,
  gatherClasses,
  gatherCrds,
  gatherGkeServices,
  gatherNodes,
  gatherPolicies,
  type NodesGathered,
} from './gather.ts';
import { calicoMissing, judgeCalico } from './judge/calico.ts';
import { judgeCertificate } from './judge/certificate.ts';
import { judgeConnection } from './judge/connection.ts';
import { type ExpectedCrd, judgeCrds } from './judge/crds.ts';
import { type Identity, judgeCredentials } from './judge/credentials.ts';
import { isGke, judgeGke } from './judge/gke.ts';
import { judgeIngress } from './judge/ingress.ts';
import { judgeNodes } from './judge/nodes.ts';
import { judgePolicies } from './judge/policies.ts';
import { judgePools } from './judge/pools.ts';
import { type Granted, judgeExcess, judgeRights, unlistedRights } from './judge/rights.ts';
import { judgeClock, judgeHealth, judgeVersion } from './judge/server.ts';
import { checkGroup, preflightNeeds } from './needs.ts';
import { probe } from './probe.ts';
import { Questions } from './questions.ts';
import { preflightChecks } from './reasons.ts';
import type { ProbeFacts, Target, VersionFacts } from './target.ts';

/** The parts of the platform spec with which the preflight compares a cluster. */
export interface Expectations {
  readonly sites: readonly {
    readonly name: string;
    readonly pods: readonly Prefix[];
    readonly servers: readonly Prefix[];
    readonly maxRoutes: number;
  }[];
  /** The prefixes of all Sites in which the cluster is not, with their names. */
  readonly others: readonly { readonly site: string; readonly prefix: Prefix }[];
  /** The IngressClasses of the edge pools. */
  readonly classes: readonly string[];
}

export interface PreflightOptions {
  readonly target: Target;
  readonly connect: () => Promise<KubeClient>;
  /** The agents whose needs and rights are checked. */
  readonly agents: readonly Agent[];
  readonly podsFrom: PodsFrom;
  /** Absent when there is no platform spec to compare the cluster with. */
  readonly expectations?: Expectations;
  readonly crds: readonly ExpectedCrd[];
  /** The folder with the rights (`deploy/rbac`), as a person would name it. */
  readonly rbac: string;
  readonly clock: Clock;
  /** Called with what is being done, for people who wait. */
  readonly onStep?: (step: string) => void;
}

export interface Report {
  readonly findings: readonly Finding[];
  readonly identity?: Identity;
}

const probeMs = 4000;
const questionsMs = 5000;

/**
 * Checks one cluster and reports what an agent would miss there. Writes nothing. A step that fails ends the report when
 * the next step could find nothing of its own. Takes no longer than 10 s.
 */
export async function preflight(options: PreflightOptions): Promise<Report> {
  const { target, clock, onStep } = options;
  onStep?.(`connecting to ${target.server}`);
  // Behind a proxy only the client's own connection can be seen.
  const facts = target.proxy === undefined ? await probe(target, clock, probeMs) : { addresses: [] };
  const nowMs = clock.now();
  const connection =
    target.proxy === undefined
      ? judgePathToServer(target, facts, nowMs)
      : [ok('api-connection', `through the proxy ${target.proxy}`)];
  if (connection.some(({ state }) => state === 'failed')) return { findings: connection };
  const client = await options.connect();
  const abort = new AbortController();
  const timer = clock.setTimeout(() => abort.abort(), questionsMs);
  try {
    const questions = new Questions(client, abort.signal);
    onStep?.('asking who we are');
    const answer = await questions.identity();
    const credentials = judgeCredentials(target, answer, clock.now());
    const findings = [...connection, credentials];
    if (!('got' in answer) || credentials.state === 'failed') return { findings: inCatalogueOrder(findings) };
    onStep?.('asking what is there and what we may do');
    findings.push(...(await judgeServer(facts, questions, target)));
    // A server without its etcd answers nothing else.
    if (findings.some(({ reason }) => reason === 'ServerNotReady'))
      return { findings: inCatalogueOrder(findings), identity: answer.got };
    findings.push(...(await judgeCluster(options, questions, answer.got)));
    return { findings: inCatalogueOrder(findings), identity: answer.got };
  } finally {
    timer.cancel();
    await client.close();
  }
}

function judgePathToServer(target: Target, facts: ProbeFacts, nowMs: number): readonly Finding[] {
  return [...judgeConnection(target, facts), ...judgeCertificate(target, facts, nowMs)];
}

async function judgeServer(facts: ProbeFacts, questions: Questions, target: Target): Promise<readonly Finding[]> {
  const http = facts.addresses.flatMap((address) => address.http ?? []);
  const versions = http.flatMap(({ version }) => version ?? []);
  const ready = http.flatMap((one) => one.ready ?? []);
  if (versions.length === 0) {
    // Anonymous clients may be denied the version.
    const answer = await questions.getPath<VersionFacts>('/version');
    if ('got' in answer) versions.push(answer.got);
  }
  return [judgeVersion(versions), judgeHealth(ready), judgeClock(target, facts)];
}

async function judgeCluster(
  options: PreflightOptions,
  questions: Questions,
  who: Identity,
): Promise<readonly Finding[]> {
  const { crds, expectations } = options;
  const nodes = await gatherNodes(questions);
  if ('got' in nodes.gke && isGke(nodes.gke.got)) {
    const pods = expectations?.sites.flatMap((site) => site.pods);
    const context = { who: who.username, pods, others: expectations?.others ?? [] };
    return judgeGke(nodes.gke.got, await gatherGkeServices(questions), context);
  }
  const [crdAnswers, namespace, classes, network] = await Promise.all([
    gatherCrds(
      questions,
      crds.map(({ crd }) => crd.metadata.name),
    ),
    questions.get({ apiGroup: '', version: 'v1', resource: 'namespaces', name: systemNamespace }),
    reads(allNeeds(options), 'IngressClass') ? gatherClasses(questions) : undefined,
    judgeNetwork(options, questions, { who: who.username, nodes }),
  ]);
  const findings = [...judgeCrds(crds, crdAnswers, who.username), ...network.findings];
  if ('got' in namespace) findings.push(ok('namespace', systemNamespace));
  else if ('missing' in namespace)
    findings.push(
      failed('namespace', 'NamespaceMissing', {
        found: `there is no namespace ${systemNamespace}`,
        fix: `kubectl create namespace ${systemNamespace}`,
      }),
    );
  else findings.push(unanswered('namespace', namespace, who.username));
  const wanted = expectations?.classes ?? ['tideline'];
  if (classes !== undefined && wanted.length > 0) findings.push(...judgeIngress(classes, wanted, who.username));
  findings.push(...(await judgeOwnRights(options, questions, who, network.group)));
  return findings;
}

async function judgeNetwork(
  options: PreflightOptions,
  questions: Questions,
  { who, nodes }: { readonly who: string; readonly nodes: NodesGathered },
): Promise<{ readonly findings: readonly Finding[]; readonly group: CalicoGroup | undefined }> {
  const needs = allNeeds(options);
  if (!reads(needs, 'Node')) return { findings: [], group: undefined };
  const { podsFrom, expectations } = options;
  const sites = expectations?.sites;
  const allowed = sites && { servers: sites.flatMap((site) => site.servers), pods: sites.flatMap((site) => site.pods) };
  const [group, policies] = await Promise.all([
    reads(needs, 'BlockAffinity') ? calicoGroup(questions) : undefined,
    gatherPolicies(questions),
  ]);
  const findings = [
    ...judgeNodes(nodes.facts, { who, podsFrom, allowed }),
    judgePolicies({ ...policies, nodes: nodes.kept }, who),
  ];
  if (group === undefined) return { findings, group };
  if (!('got' in group)) {
    const answer = 'missing' in group ? { failed: 'the server has no /apis' } : group;
    return { findings: [...findings, unanswered('calico-api', answer, who)], group: undefined };
  }
  if (group.got === undefined) return { findings: [...findings, calicoMissing()], group: 'crd.projectcalico.org' };
  const calico = await gatherCalico(questions, group.got);
  const maxRoutes = sites && Math.min(...sites.map((site) => site.maxRoutes));
  const nodeNames = 'got' in nodes.facts ? nodes.facts.got.map(({ name }) => name) : [];
  findings.push(
    ...judgeCalico(calico, { who, nodes: nodeNames, maxRoutes }),
    ...judgePools(calico.pools, {
      who,
      group: group.got,
      allowed: allowed?.pods,
      sites: (sites ?? []).map(({ name }) => name),
    }),
  );
  return { findings, group: group.got };
}

async function judgeOwnRights(
  options: PreflightOptions,
  questions: Questions,
  who: Identity,
  calico: CalicoGroup | undefined,
): Promise<readonly Finding[]> {
  const { agents } = options;
  const looksOnly =
    who.groups.includes(checkGroup) && !agents.some((agent) => who.groups.includes(`tideline:${agent}`));
  const granted = await questions.granted(systemNamespace);
  if ('missing' in granted) return [];
  if (!('got' in granted)) return agents.map((agent) => unanswered(`rights-${agent}`, granted, who.username));
  const ask = looksOnly
    ? (agent: Agent) => judgeRightsOfAgent(agent, options, questions, { who, calico })
    : (agent: Agent) => judgeRightsAsAgent(agent, options, questions, { who, calico, granted: granted.got });
  const findings = await Promise.all(agents.map(ask));
  // A right in a group of Calico that is not served grants nothing, so the rights of both groups count as needed.
  const needs = [...(looksOnly ? [] : agents.flatMap((agent) => needsOf(agent, 'calico'))), ...preflightNeeds];
  const needed = calicoGroups.flatMap((group) => rightsOf(needs, group));
  return [...findings, judgeExcess(needed, granted.got, who)];
}

/** Our own rights, as those of the agent whose kubeconfig this is. */
async function judgeRightsAsAgent(
  agent: Agent,
  { podsFrom, rbac }: PreflightOptions,
  questions: Questions,
  {
    who,
    calico,
    granted,
  }: { readonly who: Identity; readonly calico: CalicoGroup | undefined; readonly granted: Granted },
): Promise<Finding> {
  const doubtful = unlistedRights(rightsOf(needsOf(agent, podsFrom), calico), granted);
  const answers = await Promise.all(doubtful.map(async (need) => ({ need, allowed: await questions.allowed(need) })));
  if (answers.some(({ allowed }) => allowed === undefined))
    return unanswered(`rights-${agent}`, { failed: 'the server did not say what we may do' }, who.username);
  const denied = answers.filter(({ allowed }) => allowed === false).map(({ need }) => need);
  return judgeRights(agent, denied, who, rbac);
}

/** The rights of the agents' group, asked for by somebody who has and needs none of them. */
async function judgeRightsOfAgent(
  agent: Agent,
  { podsFrom, rbac }: PreflightOptions,
  questions: Questions,
  { who, calico }: { readonly who: Identity; readonly calico: CalicoGroup | undefined },
): Promise<Finding> {
  const group = `tideline:${agent}`;
  const asked = { username: `${group}:anybody`, groups: [group, 'system:authenticated'] };
  const rights = unlistedRights(rightsOf(needsOf(agent, podsFrom), calico), { everywhere: [], inSystem: [] });
  const answers = await Promise.all(
    rights.map(async (need) => ({ need, answer: await questions.allowedTo(asked, need) })),
  );
  for (const { answer } of answers) {
    if ('got' in answer) continue;
    const failure = 'missing' in answer ? { failed: 'the server did not say what the agents may do' } : answer;
    return unanswered(`rights-${agent}`, failure, who.username);
  }
  const denied = answers.filter(({ answer }) => 'got' in answer && !answer.got).map(({ need }) => need);
  return judgeRights(agent, denied, { username: `the group ${group}`, groups: asked.groups }, rbac);
}

function allNeeds({ agents, podsFrom }: PreflightOptions): readonly Need[] {
  return agents.flatMap((agent) => needsOf(agent, podsFrom));
}

/** The findings in the order of the catalogue of checks. */
function inCatalogueOrder(findings: readonly Finding[]): readonly Finding[] {
  const order = Object.keys(preflightChecks);
  return findings.toSorted((a, b) => order.indexOf(a.check) - order.indexOf(b.check));
}
