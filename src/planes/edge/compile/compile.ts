import type { Ingress } from '../../../kube/kinds/ingress.ts';
import type { ClusterState } from '../../../kube/source.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import { compareKeys, compareText } from '../../../model/values.ts';
import type { EdgeProblem } from '../reasons.ts';
import type { BackendKey, Certificate, Host, RoutingTable } from '../table.ts';
import { SettingsOfRoutes } from './annotations/settings.ts';
import { fillBackend, type LiveBackend } from './backends.ts';
import { Budget } from './budget.ts';
import { boundedProblems, type Condition, withProblems } from './condition.ts';
import { type EndpointRules, endpointRules } from './endpoint-rules.ts';
import { foreignCertificateProblems, HostOwners } from './host-owners.ts';
import { type IngressReading, isOurs, readIngress } from './ingress.ts';
import type { GoodPair, LastGood } from './last-good.ts';
import { allHostsOf, closedHostProblems } from './limited.ts';
import { ListsOfIngresses, type ReadLists } from './lists.ts';
import { compareAge, place } from './place.ts';
import type { BladePlatform } from './platform.ts';
import { Routes } from './routes.ts';
import { SliceIndex } from './slices.ts';
import { CertificateClaims, type CertificateReader, TlsHosts } from './tls.ts';

export interface CompileInput extends BladePlatform {
  readonly state: ClusterState;
  readonly readCertificate: CertificateReader;
  /** The EndpointSlices of `state` by Service; made here when absent. */
  readonly slices?: SliceIndex;
  /** Milliseconds since the epoch, for the validity of certificates. */
  readonly nowMs: number;
  /** The pairs that claims held in earlier compiles, or those of an earlier agent. */
  readonly lastGood?: LastGood;
  /** Pairs that nginx itself could not present, and why, by id. */
  readonly refusedPairs?: ReadonlyMap<string, string>;
  /** The result of the compile before; what that made of objects which are still the same is taken over. */
  readonly before?: Pick<Compiled, 'platform' | 'pool' | 'rules' | 'readings' | 'lists' | 'backends'>;
}

export interface Compiled extends BladePlatform {
  readonly table: RoutingTable;
  /** Every Ingress of our class, and every EndpointSlice with a refused endpoint, sorted by object. */
  readonly conditions: readonly Condition[];
  /** The table's backends with what the endpoint fast path and the policy health need. */
  readonly backends: ReadonlyMap<BackendKey, LiveBackend>;
  /** What each Ingress of our class asks for. */
  readonly readings: ReadonlyMap<Ingress, IngressReading>;
  /** The lists of addresses of those for which there was room. */
  readonly lists: ReadLists;
  readonly rules: EndpointRules;
  /** The pair of every claim to a Secret; undefined for a claim without a pair. */
  readonly heldPairs: ReadonlyMap<string, GoodPair | undefined>;
  /** The keys of the claims whose Secret is broken or gone: nothing else remembers their last good pairs. */
  readonly brokenClaims: ReadonlySet<string>;
  /** The ids of the claimed pairs that are not served because nginx refused them. */
  readonly refusedIds: ReadonlySet<string>;
  /** When a certificate in use begins or ends to be valid, and the findings change; Infinity when none does. */
  readonly nextTurnMs: number;
}

/**
 * The routing table of a pool, pure: the same objects in any order give the same bytes. Conflicts go to the oldest
 * Ingress (creationTimestamp, then namespace/name). One bad object takes nothing from another. States share the objects that
 * did not change, so after a small change most of the work is found in `before`.
 */
export function compile(input: CompileInput): Compiled {
  const { state, platform, pool, before } = input;
  const { Service, Secret } = state.objects;
  const readings = readIngresses(input);
  const budget = new Budget(pool.spec.limits);
  const lists = new ListsOfIngresses(budget, before?.lists);
  const routes = new Routes(Service);
  const owners = new HostOwners();
  const certificates = new CertificateClaims({
    secrets: Secret,
    read: input.readCertificate,
    lastGood: input.lastGood ?? new Map(),
    refused: input.refusedPairs ?? new Map(),
    nowMs: input.nowMs,
    budget,
    owners,
    ownersOnly: pool.spec.hostOwnerOwnsCertificate,
  });
  const settings = new SettingsOfRoutes(pool.spec);
  const tlsHosts = new TlsHosts();
  const conditions: Condition[] = [...defaultCertificate(pool, certificates)];
  const allHosts = allHostsOf(readings.values());
  for (const asked of [...readings.values()].sort(compareAge)) {
    const { reading, hosts, serves, limited, others } = place(asked, { settings, allHosts, budget, routes, lists });
    owners.add(reading.key, hosts);
    tlsHosts.add(reading, hosts);
    const problems = boundedProblems([
      ...settings.problems(reading.annotations),
      ...reading.problems,
      ...limited,
      ...others,
      ...certificates.claim(reading, hosts),
    ]);
    const state = problems.length === 0 ? 'accepted' : serves ? 'partial' : 'refused';
    conditions.push({ object: `Ingress/${reading.key}`, state, problems });
  }
  const backends = new Map<BackendKey, LiveBackend>();
  const slices = input.slices ?? SliceIndex.of(state);
  const rules = endpointRules(input, before);
  // In the order of their oldest Ingresses, so that these have their endpoints first.
  for (const [key, port] of routes.backends)
    backends.set(key, budget.fit(fillBackend(key, port, slices, rules, before?.backends.get(key))));
  conditions.push(...sliceConditions(backends));
  if (certificates.certificateOf('') !== undefined) routes.ensureHost('');
  const anyCertificate = certificates.certificateOf('') !== undefined;
  const closed = routes.close();
  const hosts = routes.hosts(
    (name) => certificates.certificateOf(name)?.id,
    ({ key, annotations }, name, certificate) =>
      settings.of(annotations, {
        tls: tlsHosts.has(key, name),
        certificate: certificate !== undefined || anyCertificate,
      }),
  );
  return {
    table: {
      hosts,
      backends: [...backends].sort(compareKeys).map(([, { backend }]) => backend),
      certificates: certificatesOf(hosts, certificates),
    },
    conditions: withProblems(conditions, [
      ...closedHostProblems(closed),
      ...foreignCertificateProblems(certificates.foreign),
    ]).toSorted((a, b) => compareText(a.object, b.object)),
    backends,
    readings,
    lists: lists.read,
    platform,
    pool,
    rules,
    heldPairs: certificates.held(),
    brokenClaims: certificates.broken(),
    refusedIds: certificates.refusedIds,
    nextTurnMs: certificates.nextTurn(),
  };
}

function readIngresses({ state, pool, before }: CompileInput): ReadonlyMap<Ingress, IngressReading> {
  const { Ingress, IngressClass } = state.objects;
  const readings = new Map<Ingress, IngressReading>();
  for (const [key, ingress] of Ingress)
    if (isOurs(ingress, pool.spec.ingressClass, IngressClass))
      readings.set(ingress, before?.readings.get(ingress) ?? readIngress(key, ingress));
  return readings;
}

function defaultCertificate({ metadata, spec }: EdgePool, certificates: CertificateClaims): readonly Condition[] {
  if (spec.defaultCertificate === undefined) return [];
  const { namespace, secret } = spec.defaultCertificate;
  const faults = certificates.claimDefault(`${namespace}/${secret}`);
  if (faults.length === 0) return [];
  const object = `EdgePool/${metadata.name}`;
  const path = 'spec.defaultCertificate';
  return [{ object, state: 'partial', problems: faults.map((fault) => ({ object, path, ...fault })) }];
}

function sliceConditions(backends: ReadonlyMap<BackendKey, LiveBackend>): readonly Condition[] {
  const byObject = new Map<string, Map<string, EdgeProblem>>();
  for (const { problems } of backends.values())
    for (const problem of problems) {
      const object = problem.object ?? '';
      const known = byObject.get(object) ?? new Map<string, EdgeProblem>();
      byObject.set(object, known.set(problem.path ?? '', problem));
    }
  return [...byObject].map(([object, problems]) => {
    return { object, state: 'partial', problems: boundedProblems([...problems.values()]) };
  });
}

function certificatesOf(hosts: readonly Host[], claims: CertificateClaims): readonly Certificate[] {
  const byId = new Map<string, Certificate>();
  for (const { name } of hosts) {
    const certificate = claims.certificateOf(name);
    if (certificate !== undefined) byId.set(certificate.id, certificate);
  }
  return [...byId.values()].sort((a, b) => compareText(a.id, b.id));
}
