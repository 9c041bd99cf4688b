import { type ServerRole, serverRoles } from '../../../model/spec/kinds/server.ts';
import { didYouMean } from '../../../model/spec/similar.ts';
import { badFleet } from '../reasons.ts';
import { type FoundField, foundFields } from './found.ts';

/** Words of a source and what they mean here. Words are compared in lower case; the empty one stands for "the source says nothing". */
export interface Mapping {
  /** `leave`: the machine is none of ours. */
  readonly roles: ReadonlyMap<string, readonly ServerRole[] | 'leave'>;
  readonly statuses: ReadonlyMap<string, 'active' | 'retired' | 'leave'>;
  readonly sites: ReadonlyMap<string, string>;
  readonly classes: ReadonlyMap<string, string>;
  readonly clusters: ReadonlyMap<string, string>;
}

/** `TEXT=MEANING` of each option, as a person gave them. */
export interface MappingWords {
  readonly role: readonly string[];
  readonly status: readonly string[];
  readonly site: readonly string[];
  readonly class: readonly string[];
  readonly cluster: readonly string[];
}

const wordsOfRoles: Readonly<Record<ServerRole, readonly string[]>> = {
  etcd: ['k8s-etcd'],
  'control-plane': ['controlplane', 'control_plane', 'master', 'k8s-master', 'kubernetes-master'],
  worker: ['node', 'k8s-node', 'k8s-worker', 'kubernetes-node', 'kubernetes-worker'],
  blade: ['edge', 'load-balancer', 'loadbalancer', 'lb'],
};
const wordsOfSpares = ['spare', 'server', ''];

const presetRoles: Mapping['roles'] = new Map<string, readonly ServerRole[]>([
  ...serverRoles.flatMap((role) => [role, ...wordsOfRoles[role]].map((word) => [word, [role]] as const)),
  ...wordsOfSpares.map((word) => [word, []] as const),
]);

/** The statuses of NetBox, and what lists call the same. What is planned or switched off has no document to get. */
const presetStatuses: Mapping['statuses'] = new Map<string, 'active' | 'retired' | 'leave'>([
  ...['active', 'staged', 'failed', 'production', 'in use', 'spare', ''].map((word) => [word, 'active'] as const),
  ...['retired', 'decommissioning', 'decommissioned'].map((word) => [word, 'retired'] as const),
  ...['planned', 'inventory', 'offline', 'no answer'].map((word) => [word, 'leave'] as const),
]);

/** The presets with what a person says besides. Throws an InputError. */
export function mappingOf(words: MappingWords): Mapping {
  const names = (option: string, pairs: readonly string[]) => new Map(pairs.map((pair) => splitPair(option, pair)));
  const roles = [...names('--role', words.role)].map(([word, meaning]) => [word, roleOf(word, meaning)] as const);
  const statuses = [...names('--status', words.status)].map(
    ([word, meaning]) => [word, statusOf(word, meaning)] as const,
  );
  return {
    roles: new Map([...presetRoles, ...roles]),
    statuses: new Map([...presetStatuses, ...statuses]),
    sites: names('--site', words.site),
    classes: names('--class', words.class),
    clusters: names('--cluster', words.cluster),
  };
}

/** `FIELD=PLACE` of `--field`. Several for one field are tried in turn. Throws an InputError. */
export function fieldsOf(words: readonly string[]): ReadonlyMap<FoundField, readonly string[]> {
  const pairs = words.map((word) => {
    const [field, place] = splitPair('--field', word);
    const known = foundFields.find((one) => one === field);
    if (known === undefined)
      throw badMapping(
        `--field ${word}: a Server has no ${field}`,
        didYouMean(field, foundFields, `name one of ${foundFields.join(', ')}`),
      );
    return [known, place] as const;
  });
  return new Map(
    [...Map.groupBy(pairs, ([field]) => field)].map(([field, some]) => [field, some.map(([, place]) => place)]),
  );
}

/** The last `=` parts them: what a source says may have one, a name of ours does not. */
function splitPair(option: string, pair: string): readonly [string, string] {
  const at = pair.lastIndexOf('=');
  if (at < 0)
    throw badMapping(
      `${option} ${pair} has no =`,
      `write ${option} TEXT=MEANING; nothing before the = is no text at all`,
    );
  return [pair.slice(0, at).trim().toLowerCase(), pair.slice(at + 1).trim()];
}

function roleOf(word: string, meaning: string): readonly ServerRole[] | 'leave' {
  if (meaning === 'leave') return 'leave';
  return meaning
    .split('+')
    .filter((part) => part !== '')
    .map((part) => {
      const role = serverRoles.find((one) => one === part);
      if (role !== undefined) return role;
      const fix = `write one of ${serverRoles.join(', ')}, etcd+control-plane, nothing for a spare, or leave`;
      throw badMapping(`--role ${word}=${meaning}: there is no role ${part}`, didYouMean(part, serverRoles, fix));
    });
}

function statusOf(word: string, meaning: string): 'active' | 'retired' | 'leave' {
  const known = (['active', 'retired', 'leave'] as const).find((one) => one === meaning);
  if (known !== undefined) return known;
  throw badMapping(`--status ${word}=${meaning}: that is no state of a server`, 'write active, retired or leave');
}

function badMapping(message: string, fix: string) {
  return badFleet('MappingUnfit', message, fix);
}
