import type { Refusal } from './reasons.ts';
import { rollout } from './rollout.ts';
import {
  type Documents,
  hasRole,
  type Planned,
  refused,
  type Situation,
  serverSilent,
  serverUnknown,
} from './situation.ts';

/** Servers come, go, or are set up anew. */

/** Servers that the spec has and that never got a document, and whoever names them in its own. */
export function addRun(situation: Situation, servers: readonly string[]): Planned {
  const { before, after, facts } = situation;
  const refusals = servers.flatMap((server): readonly Refusal[] => {
    if (!after.documents.has(server)) return [serverUnknown(server)];
    if (before.has(server)) return [notNew(server)];
    const runs = facts.foreign.get(server) ?? [];
    if (facts.silent.has(server)) return [serverSilent(server)];
    return runs.length === 0 ? [] : [stillRuns(server, runs)];
  });
  if (refusals.length > 0) return refused(...refusals);
  const changed = new Set([...servers, ...affected(situation, servers)]);
  return rollout(situation, { command: `add ${servers.join(' ')}`, changed });
}

/** Servers that the spec does not have any more. They may be dead. */
export function removeRun(situation: Situation, servers: readonly string[]): Planned {
  const { before, after } = situation;
  const refusals = servers.flatMap((server) => {
    if (!before.has(server)) return [serverUnknown(server)];
    return after.documents.has(server) ? [stays(server)] : [];
  });
  if (refusals.length > 0) return refused(...refusals);
  const come = [...after.documents.keys()].filter(
    (server) => !before.has(server) && isMemberOfSame(server, servers, situation),
  );
  const changed = new Set([...come, ...affected(situation, [...servers, ...come])]);
  const warnings = servers
    .filter((server) => {
      const document = before.get(server);
      return hasRole(document, 'worker') && !situation.apis.has(document?.server.cluster ?? '');
    })
    .map((server) => `the Node ${server} stays in the API until somebody deletes it: kubectl delete node ${server}`);
  return rollout(situation, { command: `remove ${servers.join(' ')}`, changed, leave: new Set(servers), warnings });
}

/** Servers with an empty disk under a name that is known. */
export function replaceRun(situation: Situation, servers: readonly string[]): Planned {
  const { before, after, facts } = situation;
  const refusals = servers.flatMap((server) => {
    if (!before.has(server) || !after.documents.has(server)) return [serverUnknown(server)];
    return facts.silent.has(server) ? [serverSilent(server)] : [];
  });
  if (refusals.length > 0) return refused(...refusals);
  return rollout(situation, { command: `replace ${servers.join(' ')}`, changed: new Set(), again: new Set(servers) });
}

/** Servers of the same clusters whose documents change because of these: members of etcd, and control planes, name each other. */
function affected({ before, after }: Situation, servers: readonly string[]): readonly string[] {
  const clusters = new Set(
    servers.flatMap((server) => (after.documents.get(server) ?? before.get(server))?.server.cluster ?? []),
  );
  return [...after.documents]
    .filter(
      ([server, document]) =>
        before.has(server) && clusters.has(document.server.cluster) && differs(before.get(server), document),
    )
    .map(([server]) => server);
}

/** A member of etcd that leaves is followed by one that comes, in the same run: two members have no one to spare. */
function isMemberOfSame(server: string, leaving: readonly string[], { before, after }: Situation): boolean {
  const document = after.documents.get(server);
  return leaving.some((name) => {
    const old = before.get(name);
    return (
      old?.server.roles.includes('etcd') === true &&
      document?.server.roles.includes('etcd') === true &&
      document.server.cluster === old.server.cluster
    );
  });
}

function differs(before: ReturnType<Documents['get']>, after: ReturnType<Documents['get']>): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}

const notNew = (server: string): Refusal => ({
  reason: 'ServerNotNew',
  message: `${server} already has a document`,
  fix: 'apply what changed, or replace it when its disk is a new one',
});
const stays = (server: string): Refusal => ({
  reason: 'ServerStays',
  message: `the platform spec still has ${server}`,
  fix: 'say `state: retired` in its Server, and take a blade out of its EdgePool',
});
const stillRuns = (server: string, units: readonly string[]): Refusal => ({
  reason: 'StillRuns',
  message: `${server} still runs ${units.join(', ')}`,
  fix: 'stop and disable these, or set the machine up anew',
});
