import { Server } from '../../src/model/spec/kinds.ts';
import type { Platform } from '../../src/model/spec/platform.ts';
import { compileFleet } from '../../src/planes/fleet/compile/compile.ts';
import type { ServerDocument } from '../../src/planes/fleet/compile/document.ts';
import type { Member, Situation } from '../../src/planes/fleet/run/procedures/situation.ts';
import type { Run } from '../../src/planes/fleet/run/steps.ts';
import { shippedUnits } from './fleet.ts';

/** Fleets before and after an edit, for procedures of the fleet. Certificates of what is there count as signed. */

/** Of servers that are new nothing is signed yet. */
function compiled(platform: Platform, isNew: (server: string) => boolean) {
  const { documents, waves } = compileFleet(platform, shippedUnits());
  const signed = [...documents].map(
    ([id, document]) => [id, isNew(id) ? document : withCertificates(document)] as const,
  );
  return { waves, documents: new Map(signed) };
}

function withCertificates(document: ServerDocument): ServerDocument {
  const certificates = Object.entries(document.pki.certificates).map(([path, one]) => [
    path,
    { ...one, pem: 'signed' },
  ]);
  return { ...document, pki: { ...document.pki, certificates: Object.fromEntries(certificates) } };
}

/** All members healthy, the first one leads, everybody answers. */
export function situation(before: Platform, after: Platform, change: Partial<Situation['facts']> = {}): Situation {
  const old = compiled(before, () => false);
  const members = [...old.documents.values()]
    .filter(({ server }) => server.roles.includes('etcd'))
    .map(({ server }): Member => memberOf(server.id, server.addresses[0] ?? ''));
  const facts = {
    silent: new Set<string>(),
    members: members.length === 0 ? new Map() : new Map([['site0', led(members)]]),
    standings: new Map(),
    bare: new Set<string>(),
    foreign: new Map(),
    ...change,
  };
  return {
    before: old.documents,
    after: compiled(after, (server) => !old.documents.has(server)),
    pools: [...after.edgePools.values()],
    apis: new Set(['site0']),
    facts,
  };
}

export const led = (members: readonly Member[]): readonly Member[] =>
  members.map((member, index) => ({ ...member, leader: index === 0 }));

export function memberOf(name: string, address: string, change: Partial<Member> = {}): Member {
  return { name, peer: `https://${address}:2380`, healthy: true, learner: false, leader: false, ...change };
}

/** The same platform without some servers, which its pools do not have either, and with others. */
export function edited(platform: Platform, leave: readonly string[], come: readonly Server[] = []): Platform {
  const stay = [...platform.servers].filter(([name]) => !leave.includes(name));
  const pools = [...platform.edgePools].map(([name, pool]) => {
    const blades = pool.spec.blades.filter((blade) => !leave.includes(blade.name));
    return [name, { ...pool, spec: { ...pool.spec, blades } }] as const;
  });
  const servers = new Map([...stay, ...come.map((server) => [server.metadata.name, server] as const)]);
  return { ...platform, servers, edgePools: new Map(pools) };
}

export function server(name: string, roles: readonly string[], index: number): Server {
  const spec = {
    site: 'site0',
    rack: `r${index}`,
    class: 'plain',
    addresses: [`10.1.0.${index}`],
    cluster: 'site0',
    roles,
  };
  return Server.parse({ apiVersion: 'tideline.dev/v1alpha1', kind: 'Server', metadata: { name }, spec });
}

/** A run as a person reads it: a line a step. */
export function shown({ command, waves, warnings }: Omit<Run, 'checksum'>): string {
  return [
    command,
    ...waves.flatMap(({ kind, servers, steps }) => [
      `${kind}: ${servers.join(' ')}`,
      ...steps.map((step) => {
        switch (step.do) {
          case 'gate':
            return `  gate ${step.gate} ${step.servers.join(' ')}`;
          case 'call':
            return `  call ${step.function} on ${step.servers.join(' ')} ${JSON.stringify(step.arguments)}`;
          case 'apply':
            return `  apply ${step.servers.join(' ')} ${step.components?.join(',') ?? ''}`.trimEnd();
          case 'objects':
            return '  objects';
          default:
            return `  ${step.do} ${step.servers.join(' ')}`;
        }
      }),
    ]),
    ...warnings.map((warning) => `warning: ${warning}`),
    '',
  ].join('\n');
}
