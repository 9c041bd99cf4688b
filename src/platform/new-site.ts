import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { moved, type Prefix, parseAddress, parsePrefix } from '../model/address.ts';
import { apiVersion } from '../model/contract.ts';
import { findObject } from '../model/platform/find.ts';
import { InputError } from '../model/problem.ts';
import { type SpecDocument, valueAt } from '../model/spec/document.ts';
import type { KindName, Site } from '../model/spec/kinds.ts';
import { withoutUndefined } from '../model/values.ts';
import { built, folderOf, isOfKind, readValid, type SpecEdit, textOfFile, type ValidSpec } from './spec-edit.ts';
import { readDocuments } from './yaml.ts';

/** A site that is to be like another one, in prefixes of its own. */
export interface NewSite {
  readonly name: string;
  /** The Site whose routers, clusters and edge pools it has the like of. */
  readonly like: string;
  readonly location: Site['spec']['location'];
  /** As many of each kind as the other has, in the same order. */
  readonly prefixes: Readonly<Record<PrefixKind, readonly Prefix[]>>;
  /** Needed where the other has routers. */
  readonly routerAsn?: number;
  readonly serverAsn?: number;
}

export const prefixKinds = ['pods', 'servers', 'vips'] as const;
type PrefixKind = (typeof prefixKinds)[number];

export interface SiteEdit extends SpecEdit {
  /** The names of what was made. */
  readonly clusters: readonly string[];
  readonly edgePools: readonly string[];
  /** Clusters that serve the other site and further ones: they have no like in the new site. */
  readonly spanning: readonly string[];
}

/**
 * The edit that puts a Site like another one, with a Cluster and an EdgePool like each that serves that one alone, into a file of its own
 * in the first folder of `paths`. Addresses keep their places in their prefixes, and names have the new site's for the other's. No policy
 * leads users there. Throws an InputError when that cannot be done, or is not valid.
 */
export async function addingSite(paths: readonly string[], site: NewSite, nowMs: number): Promise<SiteEdit> {
  const spec = await readValid(paths, nowMs);
  const other = findObject(spec.platform, 'Site', site.like, { option: '--like' });
  if (spec.platform.sites.has(site.name))
    throw badSite('name', `there is a Site ${site.name} already`, 'give the new one another name');
  const file = join(await folderOf(paths, 'Site'), `${site.name}.yaml`);
  if ((await textOfFile(file)) !== undefined)
    throw badSite('name', `${file} exists already`, 'remove it, or give the site another name');
  const serving = [...spec.platform.clusters.values()].filter(({ spec: { sites } }) => sites.includes(site.like));
  const alone = serving.filter(({ spec: { sites } }) => sites.length === 1).map(({ metadata }) => metadata.name);
  const pools = [...spec.platform.edgePools.values()].filter(({ spec: { cluster } }) => alone.includes(cluster));
  const edgePools = pools.map(({ metadata }) => metadata.name);
  const copy = copier(site, other);
  const objects = [
    siteLike(valuesOf(spec, 'Site', [site.like])[0], site, other, copy),
    ...[...valuesOf(spec, 'Cluster', alone), ...valuesOf(spec, 'EdgePool', edgePools)].map(copy.object),
  ];
  const text = `# Like the site ${site.like}.\n${objects.map((object) => stringify(object)).join('---\n')}`;
  const added = readDocuments(text, file, dirname(file));
  const documents = [...spec.documents, ...added.documents];
  return {
    before: spec.platform,
    after: built(documents, added.problems, nowMs),
    documents,
    edits: [{ file, text }],
    clusters: alone.map(copy.name),
    edgePools: edgePools.map(copy.name),
    spanning: serving.map(({ metadata }) => metadata.name).filter((name) => !alone.includes(name)),
  };
}

/** What people wrote of these objects. */
function valuesOf({ documents }: ValidSpec, kind: KindName, names: readonly string[]): readonly unknown[] {
  const nameOf = ({ value }: SpecDocument): string => String(valueAt(value, ['metadata', 'name']));
  return documents.filter((one) => isOfKind(one, kind) && names.includes(nameOf(one))).map(({ value }) => value);
}

interface Copier {
  readonly name: (name: string) => string;
  readonly object: (value: unknown) => unknown;
}

/** Fields that hold the name of an object, of a server or of a router. */
const naming: ReadonlySet<string> = new Set(['name', 'sites', 'cluster', 'edgePool']);

function copier({ name, like, prefixes }: NewSite, { spec }: Site): Copier {
  const word = new RegExp(`(?<![a-z0-9])${like.replaceAll('.', '\\.')}(?![a-z0-9])`, 'g');
  const renamed = (text: string): string => {
    const replaced = text.replaceAll(word, name);
    return replaced === text ? `${name}-${text}` : replaced;
  };
  const pairs = prefixKinds.flatMap((kind) => {
    const [from, to] = [spec.prefixes[kind], prefixes[kind]];
    if (from.length === to.length) return from.map((prefix, at) => ({ kind, from: prefix, to: to[at] ?? prefix }));
    const wanted = `${like} has ${from.length === 0 ? 'none' : from.map(({ text }) => text).join(', ')}`;
    const fix =
      from.length === 0 ? `leave --${kind} out` : `give --${kind} ${from.length} times, in the order of ${like}`;
    throw badSite(`--${kind}`, `${to.length} prefixes are given, and ${wanted}`, fix);
  });
  /** The like of an address or prefix, or the text itself where it is neither, or lies elsewhere. */
  const placed = (text: string): string => {
    const whole = pairs.find(({ from }) => from.text === parsePrefix(text)?.text && text.includes('/'));
    if (whole !== undefined) return whole.to.text;
    const address = parseAddress(text);
    if (address === undefined) return text.replaceAll(word, name);
    for (const { kind, from, to } of pairs) {
      const there = moved(address, from, to);
      if (there !== undefined) return there.text;
      if (moved(address, from, from) !== undefined)
        throw badSite(
          `--${kind}`,
          `${to.text} has no place for the like of ${text}`,
          `give a prefix as large as ${from.text}`,
        );
    }
    return text;
  };
  const copied = (value: unknown, field: string): unknown => {
    if (typeof value === 'string') return naming.has(field) ? renamed(value) : placed(value);
    if (Array.isArray(value)) return value.map((one: unknown) => copied(one, field));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copied(one, key)]));
  };
  const object = (value: unknown): unknown => {
    const kind = valueAt(value, ['kind']);
    const metadata = { name: renamed(String(valueAt(value, ['metadata', 'name']))) };
    return { apiVersion, kind, metadata, spec: copied(valueAt(value, ['spec']), 'spec') };
  };
  return { name: renamed, object };
}

function siteLike(
  value: unknown,
  { name, location, routerAsn, serverAsn }: NewSite,
  other: Site,
  copy: Copier,
): object {
  if (other.spec.routers.length > 0)
    for (const [option, asn] of Object.entries({ '--router-asn': routerAsn, '--server-asn': serverAsn }))
      if (asn === undefined)
        throw badSite(
          option,
          `is needed, because ${other.metadata.name} has routers`,
          'give the AS number of the new site',
        );
  const { spec, ...rest } = copy.object(value) as { readonly spec: Readonly<Record<string, unknown>> };
  const routers = (spec.routers ?? []) as readonly object[];
  return {
    ...rest,
    metadata: { name },
    spec: {
      ...spec,
      location,
      ...(routers.length === 0 ? {} : { routers: routers.map((one) => ({ ...one, asn: routerAsn })) }),
      ...withoutUndefined({ serverAsn }),
    },
  };
}

function badSite(path: string, message: string, fix: string): InputError {
  return new InputError({ reason: 'BadOption', path, message, fix });
}
