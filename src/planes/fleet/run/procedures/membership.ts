import type { RunWave, Step } from '../steps.ts';
import type { MemberStep } from './quorum.ts';
import { type Documents, hasRole, peerOf, unitsOf } from './situation.ts';
import { call, drained, gate, gatesFor, retire, signed, type Touch } from './touch.ts';

/** The waves in which members of a running etcd come and go, one after the other. */

export interface Membership {
  readonly cluster: string;
  /** What servers had, and are to have; one that leaves has none of the second. */
  readonly before: Documents;
  readonly documents: Documents;
  readonly apis: Touch['apis'];
  /** Members that are well and stay, in the order in which they are asked. */
  readonly keepers: readonly string[];
  readonly silent: ReadonlySet<string>;
  /** Members that come in later waves. */
  readonly coming: ReadonlySet<string>;
}

export function membershipWave({ what, server }: MemberStep, membership: Membership): RunWave {
  const { cluster } = membership;
  const kind = 'etcd';
  const steps = what === 'leave' ? leaving(server, membership) : coming(server, what, membership);
  return { cluster, kind, servers: [server], steps };
}

/** A member comes as a learner, catches up, and only then has a vote. Its etcd must know that it joins before it starts for the first time. */
function coming(server: string, what: 'join' | 'replace', membership: Membership): readonly Step[] {
  const { cluster, documents, before, keepers, apis, coming: later } = membership;
  const document = documents.get(server);
  const keeper = keepers.filter((name) => name !== server).slice(0, 1);
  if (document === undefined) return [];
  const about = { name: server, peer: peerOf(document) };
  const runs = what === 'join' && before.has(server) ? [server] : [];
  const steps: readonly Step[] = [
    { do: 'apply', servers: [server], components: ['pki'] },
    call(keeper, what === 'join' ? 'tideline_etcd.add' : 'tideline_etcd.replace', about),
    call([server], 'tideline_etcd.join', { aside: true }),
    { do: 'apply', servers: [server] },
    call(keeper, 'tideline_etcd.promote', about),
  ];
  // Whether etcd is well as a whole is asked when the last member has come.
  const gates = gatesFor({ cluster, servers: [server] }, { documents, apis, coming: later }).filter(
    (step) => step.do !== 'gate' || step.gate !== 'EtcdHealthy',
  );
  return [...signed([server], documents, new Set([server])), ...drained(runs, steps, gates, { documents, apis })];
}

/** A member leaves before its etcd stops, so that nobody waits for it; what else the server does for the API is taken over first. */
function leaving(server: string, { before, documents, keepers, silent }: Membership): readonly Step[] {
  const document = before.get(server);
  const keeper = keepers.filter((name) => name !== server).slice(0, 1);
  if (document === undefined) return [];
  const answers = !silent.has(server);
  const withdraws = answers && hasRole(document, 'control-plane');
  const others = [...documents.values()]
    .filter((other) => other.server.cluster === document.server.cluster && hasRole(other, 'control-plane'))
    .map((other) => other.server.id)
    .filter((id) => before.has(id));
  return [
    ...(withdraws ? [call([server], 'tideline_drain.withdraw_api')] : []),
    call(keeper, 'tideline_etcd.remove', { name: server, peer: peerOf(document) }),
    ...(answers ? [retire([server], unitsOf(document))] : []),
    ...(withdraws && others.length > 0 ? [gate('VipHeld', others)] : []),
  ];
}
