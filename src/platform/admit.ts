import { topicOf } from '../model/platform/trust.ts';
import { type SpecDocument, valueAt } from '../model/spec/document.ts';
import { type KindName, kindNames } from '../model/spec/kinds.ts';
import type { SpecProblem } from '../model/spec/objects.ts';
import { readObject } from '../model/spec/read.ts';
import { compareText, withoutUndefined } from '../model/values.ts';
import {
  type ApiObject,
  beyondBounds,
  bladesBeyond,
  concerns,
  documentOf,
  keyOf,
  type SpecApi,
  type Verdict,
  type Why,
} from './spec-api.ts';

/** Documents by `Kind/name`. */
export type ByKey = ReadonlyMap<string, SpecDocument>;

/** More objects of one API are not looked at: each costs work on the thread that renews leases. */
export const mostObjects = 1000;

/** The same for the API of another cluster that is not trusted: whoever administers it must not be able to slow down agents here. */
export const mostOfOthers = 100;

/** An object of an API that may count, with the document that it stands for. */
export interface Candidate {
  readonly api: SpecApi;
  readonly object: ApiObject;
  readonly key: string;
  /** 0 for what a trusted API says; what has a higher one never harms what has a lower one. */
  readonly rank: number;
  readonly document: SpecDocument;
  /** The version that was in force until now, where it says no more than this API may. */
  readonly last?: SpecDocument;
  /** Set when the document is not what stands there now. */
  readonly held?: Why;
}

export interface Admission {
  readonly candidates: readonly Candidate[];
  readonly refused: ReadonlyMap<ApiObject, Verdict>;
}

export interface Claims {
  readonly folder: readonly SpecDocument[];
  readonly apis: readonly SpecApi[];
  /** What was in force until now. */
  readonly inForce: ByKey;
  /** The cluster of the agent that asks; Drains of workers in the APIs of others are passed over. */
  readonly here?: string | undefined;
}

interface Claim {
  readonly api: SpecApi;
  readonly object: ApiObject;
  readonly rank: number;
  /** Set when it is beyond this limit. */
  readonly beyondLimit?: number;
}

/**
 * Judges each object of each API by who says it: what trusted APIs say first, then what the API of the agent's own cluster says, then the
 * others. Nothing that comes later takes a name or a blade from what came before.
 */
export function admitAll({ folder, apis, inForce, here }: Claims): Admission {
  const candidates: Candidate[] = [];
  const refused = new Map<ApiObject, Verdict>();
  const order = [...apis.filter(({ cluster }) => cluster === here), ...apis.filter(({ cluster }) => cluster !== here)];
  const claims = order.flatMap((api, index) => claimsOf(api, index + 1, here));
  for (const [, ofRank] of [...Map.groupBy(claims, ({ rank }) => rank)].toSorted(([a], [b]) => a - b)) {
    const before = standing(folder, candidates);
    for (const [api, ofApi] of Map.groupBy(ofRank, (claim) => claim.api)) {
      const elsewhere = bladesBeyond(
        [...before.values()].map(({ document }) => document),
        api.cluster,
      );
      for (const claim of ofApi) {
        const found = admit(claim, { before, elsewhere, inForce, here });
        if ('key' in found) candidates.push(found);
        else refused.set(claim.object, verdictOn(claim, 'refused', found));
      }
    }
  }
  return { candidates, refused };
}

/** The objects of an API in a fixed order. */
function claimsOf(api: SpecApi, place: number, here: string | undefined): readonly Claim[] {
  const most = api.cluster === here || api.trust.size > 0 ? mostObjects : mostOfOthers;
  return api.objects
    .toSorted(byKindAndName)
    .map((object, index) => ({
      api,
      object,
      rank: api.trust.has(topicOf(object.kind)) ? 0 : place,
      ...(index < most ? {} : { beyondLimit: most }),
    }))
    .filter(({ object }) => concerns(api, object, here));
}

/** A document that came before, and the cluster in whose API it stands, if only that one may say so. */
interface Standing {
  readonly document: SpecDocument;
  readonly only?: string;
}

function standing(folder: readonly SpecDocument[], candidates: readonly Candidate[]): ReadonlyMap<string, Standing> {
  const found = new Map<string, Standing>();
  for (const { key, document, rank, api } of candidates.toSorted((a, b) => a.rank - b.rank))
    if (!found.has(key)) found.set(key, { document, ...(rank === 0 ? {} : { only: api.cluster }) });
  for (const [key, document] of byKey(folder)) found.set(key, { document });
  return found;
}

interface Around {
  readonly before: ReadonlyMap<string, Standing>;
  /** The blades of other clusters' pools. */
  readonly elsewhere: ReadonlySet<string>;
  readonly inForce: ByKey;
  readonly here: string | undefined;
}

function admit(claim: Claim, { before, elsewhere, inForce, here }: Around): Candidate | Why {
  const { api, object, rank, beyondLimit } = claim;
  if (beyondLimit !== undefined)
    return { reason: 'TooManyObjects', message: `only the first ${beyondLimit} objects of this API are read` };
  const beyond = beyondBounds(api, object, elsewhere);
  if (beyond !== undefined) return beyond;
  const document = documentOf(api, object);
  const key = `${object.kind}/${object.name}`;
  const maySay = (one: SpecDocument): boolean => {
    const said = { kind: object.kind, name: object.name, spec: specOf(one) };
    return concerns(api, said, here) && beyondBounds(api, said, elsewhere) === undefined;
  };
  const other = before.get(key);
  // Otherwise a copy that differs could keep another place from changing what concerns others.
  if (other !== undefined && rank > 0 && ((other.only ?? api.cluster) !== api.cluster || !maySay(other.document)))
    return {
      reason: 'NameTaken',
      message: `${other.document.file} has a ${object.kind} of this name that concerns others`,
    };
  const earlier = inForce.get(key);
  // What was in force may be what a trusted place said: without it here, this API could keep that in force.
  const last = earlier !== undefined && maySay(earlier) ? earlier : undefined;
  const common = { api, object, key, rank, ...withoutUndefined({ last }) };
  const [problem] = readObject(document).problems;
  if (problem === undefined) return { ...common, document };
  const why: Why = { reason: 'ObjectUnreadable', message: problemText(problem) };
  return last === undefined ? why : { ...common, document: last, held: why };
}

/** The first document of every name. */
export function byKey(documents: readonly SpecDocument[]): ByKey {
  const found = new Map<string, SpecDocument>();
  for (const document of documents) {
    const key = keyOf(document);
    if (key !== undefined && !found.has(key)) found.set(key, document);
  }
  return found;
}

export function specOf({ value }: SpecDocument): unknown {
  return valueAt(value, ['spec']);
}

export function verdictOn(
  { api, object }: Pick<Candidate, 'api' | 'object'>,
  state: Verdict['state'],
  why: Why,
): Verdict {
  const { kind, name, generation } = object;
  return { place: api.place, kind, name, ...withoutUndefined({ generation }), state, ...why };
}

export function problemText({ path, message, expected }: SpecProblem): string {
  return `${path === undefined ? '' : `${path}: `}${message}${expected === undefined ? '' : `, expected ${expected}`}`;
}

export function byKindAndName(a: ApiObject, b: ApiObject): number {
  const order = (kind: KindName): number => kindNames.indexOf(kind);
  return order(a.kind) - order(b.kind) || compareText(a.name, b.name);
}
