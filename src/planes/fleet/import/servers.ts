import { apiVersion } from '../../../model/contract.ts';
import { Server, ServerClass } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { compareText, withoutUndefined } from '../../../model/values.ts';
import { type Draft, draftOf, NotAServer } from './draft.ts';
import type { FoundServer } from './found.ts';
import type { Mapping } from './mapping.ts';

/** What becomes of each machine of a source, and what the spec would get. */
export interface ServerImport {
  /** By site and name; those that the spec does not have yet. */
  readonly servers: readonly ImportedServer[];
  /** Classes of these that the spec does not have yet. */
  readonly classes: readonly ImportedClass[];
  readonly findings: readonly ServerFinding[];
}

/** A document as a person would write it, and where it comes from. */
export interface ImportedServer {
  readonly document: {
    readonly apiVersion: string;
    readonly kind: 'Server';
    readonly metadata: { readonly name: string };
    readonly spec: Readonly<Record<string, string | readonly string[]>>;
  };
  /** What its comment says: the place in the source, and the serial number. */
  readonly origin: string;
}

export interface ImportedClass {
  readonly apiVersion: string;
  readonly kind: 'ServerClass';
  readonly metadata: { readonly name: string };
  readonly spec: { readonly network?: { readonly uplinks: readonly string[] } };
}

export interface ServerFinding {
  /** The name of the server; of a machine without one, where the source has it. */
  readonly server: string;
  /**
   * `new`: written; `same`: the spec has it so; `different`: the spec says otherwise and stays as it is; `gone`: the spec has it and the
   * source does not; `left`: none of ours; `refused`: something is missing or wrong.
   */
  readonly outcome: 'new' | 'same' | 'different' | 'gone' | 'left' | 'refused';
  /** Where the source has it. */
  readonly at?: string;
  /** What is different, or why. */
  readonly what: string;
  readonly fix?: string;
  readonly notes: readonly string[];
}

/** Makes Servers of machines. Reads and writes nothing; equal input gives equal output. */
export function importServers(platform: Platform, found: readonly FoundServer[], mapping: Mapping): ServerImport {
  const findings: ServerFinding[] = [];
  const drafts = found.flatMap((machine): readonly Draft[] => {
    try {
      return [draftOf(machine, platform, mapping)];
    } catch (error) {
      if (!(error instanceof NotAServer)) throw error;
      findings.push(findingOf(machine, error));
      return [];
    }
  });
  const fit = withoutTwice(drafts, platform, findings);
  for (const draft of fit) findings.push(comparison(draft, platform));
  const isNew = new Set(findings.filter(({ outcome }) => outcome === 'new').map(({ server }) => server));
  const added = fit
    .filter(({ name }) => isNew.has(name))
    .toSorted((a, b) => compareText(a.site, b.site) || compareText(a.name, b.name));
  const known = new Set([...drafts.map(({ name }) => name), ...findings.map(({ server }) => server)]);
  for (const [name, { spec }] of platform.servers)
    if (spec.state === 'active' && !known.has(name))
      findings.push({
        server: name,
        outcome: 'gone',
        what: 'the source does not have it; it stays in the spec',
        notes: [],
      });
  const { classes, notes } = newClasses(added, platform);
  const memberless = withoutMembers(fit, platform);
  return {
    servers: added.map(documentOf),
    classes,
    findings: findings
      .map((finding) => ({
        ...finding,
        notes: [...finding.notes, ...(notes.get(finding.server) ?? []), ...(memberless.get(finding.server) ?? [])],
      }))
      .toSorted((a, b) => compareText(a.server, b.server) || compareText(a.at ?? '', b.at ?? '')),
  };
}

function findingOf({ at, texts }: FoundServer, { outcome, message, fix }: NotAServer): ServerFinding {
  const server = texts.name[0]?.toLowerCase().split('.')[0] ?? '';
  return { server: server === '' ? at : server, outcome, at, what: message, ...withoutUndefined({ fix }), notes: [] };
}

/** Leaves out machines that share a name or an address with another one: nobody can tell which of them is meant. */
function withoutTwice(drafts: readonly Draft[], platform: Platform, findings: ServerFinding[]): readonly Draft[] {
  const byName = Map.groupBy(drafts, ({ name }) => name);
  const held = drafts.flatMap((draft) => draft.addresses.map(({ text }) => ({ text, draft })));
  const byAddress = Map.groupBy(held, ({ text }) => text);
  const owners = new Map(
    [...platform.servers].flatMap(([name, { spec }]) => spec.addresses.map(({ text }) => [text, name] as const)),
  );
  const bySerial = Map.groupBy(drafts, ({ serial }) => serial ?? '');
  return drafts.flatMap((draft) => {
    const { name, at, addresses, serial } = draft;
    const refuse = (what: string, fix: string): readonly Draft[] => {
      findings.push({ server: name, outcome: 'refused', at, what, fix, notes: [] });
      return [];
    };
    const alike = byName.get(name) ?? [];
    if (alike.length > 1) return refuse(`another has its name: ${othersOf(draft, alike)}`, 'rename one in the source');
    for (const { text } of addresses) {
      const holders = (byAddress.get(text) ?? []).map((holder) => holder.draft);
      if (holders.length > 1)
        return refuse(`another has its address ${text}: ${othersOf(draft, holders)}`, 'correct one in the source');
      const owner = owners.get(text);
      if (owner !== undefined && owner !== name)
        return refuse(
          `its address ${text} is that of Server/${owner}`,
          `correct the address, or rename ${owner} in the spec`,
        );
    }
    const twins = serial === undefined ? [] : (bySerial.get(serial) ?? []);
    if (twins.length < 2) return [draft];
    return [
      { ...draft, notes: [...draft.notes, `its serial number ${serial} is also that of ${othersOf(draft, twins)}`] },
    ];
  });
}

/** The first of those that share something with a machine; a list may have thousands of them. */
function othersOf(draft: Draft, alike: readonly Draft[]): string {
  const others = alike.slice(0, 4).filter((other) => other !== draft);
  const more = alike.length - 1 - others.length;
  return `${others.map(({ name, at }) => `${name} (${at})`).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The new server beside the one that the spec has. */
function comparison({ name, at, notes, ...draft }: Draft, { servers }: Platform): ServerFinding {
  const before = servers.get(name)?.spec;
  if (before === undefined) return { server: name, outcome: 'new', at, what: draft.site, notes };
  const fields = ['site', 'rack', 'class', 'addresses', 'cluster', 'roles', 'state'] as const;
  const text = (spec: typeof before | typeof draft, field: (typeof fields)[number]): string => {
    if (field === 'addresses') return spec.addresses.map((address) => address.text).join(' ');
    if (field === 'roles') return spec.roles.toSorted(compareText).join(' ') || 'none';
    return spec[field] ?? 'none';
  };
  const differences = fields
    .filter((field) => text(before, field) !== text(draft, field))
    .map((field) => `${field} ${text(before, field)}, in the source ${text(draft, field)}`);
  if (differences.length === 0) return { server: name, outcome: 'same', at, what: '', notes };
  return { server: name, outcome: 'different', at, what: differences.join('; '), notes };
}

function documentOf({
  name,
  at,
  serial,
  cluster,
  roles,
  state,
  addresses,
  site,
  rack,
  class: className,
}: Draft): ImportedServer {
  const document = {
    apiVersion,
    kind: 'Server' as const,
    metadata: { name },
    spec: {
      site,
      rack,
      class: className,
      addresses: addresses.map(({ text }) => text),
      ...(cluster === undefined ? {} : { cluster, roles }),
      ...(state === 'active' ? {} : { state }),
    },
  };
  Server.parse(document);
  return { document, origin: `from ${at}${serial === undefined ? '' : `, serial number ${serial}`}` };
}

/** What the interface is called where a class says nothing. */
const presetUplink = 'eth0';

/** A master of a list may be meant as a member of etcd as well: said of the first control plane of each cluster without one. */
function withoutMembers(drafts: readonly Draft[], platform: Platform): ReadonlyMap<string, readonly string[]> {
  const known = [...platform.servers.values()].map(({ spec }) => spec);
  const members = new Set(
    [...known, ...drafts].filter(({ roles }) => roles.includes('etcd')).map(({ cluster }) => cluster),
  );
  const controls = drafts.filter(({ roles, cluster }) => roles.includes('control-plane') && !members.has(cluster));
  const byCluster = Map.groupBy(controls, ({ cluster }) => cluster);
  return new Map(
    [...byCluster].flatMap(([cluster = '', [first]]) =>
      first === undefined
        ? []
        : [
            [
              first.name,
              [
                `the cluster ${cluster} has control planes and no etcd: name its members, or say --role 'WORD=etcd+control-plane'`,
              ],
            ],
          ],
    ),
  );
}

function newClasses(added: readonly Draft[], platform: Platform) {
  const groups = [...Map.groupBy(added, (draft) => draft.class)].filter(([name]) => !platform.serverClasses.has(name));
  const notes = new Map<string, readonly string[]>();
  const classes = groups.map(([name, drafts]): ImportedClass => {
    const uplinks = new Set(drafts.map(({ uplink }) => uplink ?? presetUplink));
    const [uplink = presetUplink] = uplinks;
    const gpus = new Set(drafts.map((draft) => draft.gpus.join(', ')).filter((some) => some !== ''));
    const [first] = drafts;
    const said = [
      `its ServerClass ${name} is new: add its disks${uplinks.size > 1 ? `, and say which uplink it has: ${[...uplinks].join(', ')}` : ''}`,
      ...[...gpus].map(
        (some) => `the source says that servers of the class ${name} have GPUs (${some}): add \`gpus\` with the driver`,
      ),
    ];
    if (first !== undefined) notes.set(first.name, said);
    const spec = uplinks.size === 1 && uplink !== presetUplink ? { network: { uplinks: [uplink] } } : {};
    const whole = { apiVersion, kind: 'ServerClass' as const, metadata: { name }, spec };
    return ServerClass.safeParse(whole).success ? whole : { ...whole, spec: {} };
  });
  return { classes: classes.toSorted((a, b) => compareText(a.metadata.name, b.metadata.name)), notes };
}
