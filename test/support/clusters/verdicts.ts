import { apiVersion } from '../../../src/model/contract.ts';
import { buildPlatform } from '../../../src/model/spec/build.ts';
import { valueAt } from '../../../src/model/spec/document.ts';
import { isApiKind, isKindName } from '../../../src/model/spec/kinds.ts';
import type { SpecReason } from '../../../src/model/spec/reasons.ts';
import { crdOf } from '../../../tools/spec/crd.ts';
import type { RawAnswer, RawClient } from './raw.ts';

/** One fault of an object, in a form that both the loader and the API server can give. */
export interface Fault {
  /** The path of the faulty value, e.g. `spec.rules[0].countries[1]`. */
  readonly path: string;
  /** The loader's reason; or the loader's reasons that the words of the API server can mean, `*` for any. */
  readonly reasons: readonly string[];
  readonly message: string;
}

export interface Verdict {
  readonly accepted: boolean;
  readonly faults: readonly Fault[];
  /** True when the faults kept this side from checking rules that are about several fields together. */
  readonly partial: boolean;
}

/**
 * What only the loader finds, in what is one object: a reference to nothing, what `never` forbids and networks that overlap (documented differences), and a check of a port
 * whose protocol the pool decides.
 */
const ofLoader = new Set(['UnknownName', 'ForbiddenChoice', 'NetworksOverlap', 'CheckOnOtherPort']);

/** The loader's verdict on one object alone, without what only a loader finds. */
export function loaderVerdict(value: unknown): Verdict {
  const problems = problemsOf(value).filter(({ reason }) => !ofLoader.has(reason));
  const faults = problems.map(({ path = '', reason, message }) => ({
    path,
    reasons: reason === 'WrongChoice' ? ['*'] : [reason],
    message,
  }));
  return { accepted: faults.length === 0, faults, partial: problems.some(({ reason }) => ofShape.has(reason)) };
}

/** Every reason of the loader about one object alone. */
export function loaderReasons(value: unknown): readonly SpecReason[] {
  return problemsOf(value).map(({ reason }) => reason);
}

function problemsOf(value: unknown): ReturnType<typeof buildPlatform>['problems'] {
  const document = { file: 'object.json', folder: '/', value, broken: false, lineOf: () => 1 };
  return buildPlatform([document], 0).problems;
}

/** The API server's verdict on an object, asked as kubectl does: with strict field validation. The object is not stored. */
export async function serverVerdict(client: RawClient, value: unknown): Promise<Verdict> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return unserved('', value, 'NotAnObject');
  const version = valueAt(value, ['apiVersion']);
  const kind = valueAt(value, ['kind']);
  if (version !== apiVersion) return unserved('apiVersion', version, 'UnknownApiVersion');
  if (!isKindName(kind) || !isApiKind(kind)) return unserved('kind', kind, 'UnknownKind');
  const path = `/apis/${apiVersion}/${crdOf(kind).spec.names.plural}?dryRun=All&fieldValidation=Strict`;
  return verdictOf(await client.send('POST', path, value));
}

/**
 * The verdict on an object that has no path in the API: kubectl reports that there are no matches for the kind, or that it
 * is missing.
 */
function unserved(path: string, value: unknown, reason: SpecReason): Verdict {
  const reasons = value === undefined || value === null ? ['MissingField', reason] : [reason];
  return { accepted: false, faults: [{ path, reasons, message: 'no matches for kind' }], partial: true };
}

/** Reasons that are found while an object is parsed. The loader checks the fields together only when there is none of these. */
const ofShape = new Set(
  `MissingField WrongType WrongValue WrongChoice BadFormat BadAddress BadPrefix OutOfRange EmptyList EmptyDefault NotAnObject
  UnknownApiVersion UnknownKind`.split(/\s+/),
);

interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly Cause[] };
}

interface Cause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

const notice = 'some validation rules were not checked';

function verdictOf({ status, body }: RawAnswer): Verdict {
  if (status === 201) return { accepted: true, faults: [], partial: false };
  if (status !== 422 && status !== 400) throw new Error(`unexpected answer ${status}: ${JSON.stringify(body)}`);
  const { details, message = '' } = body as Status;
  const causes = details?.causes ?? [];
  if (status === 400 || causes.length === 0) return { accepted: false, faults: requestFaults(message), partial: true };
  const faults = causes.filter((cause) => !cause.message?.includes(notice)).map(faultOf);
  return { accepted: false, faults, partial: causes.length > faults.length };
}

/**
 * The faults of a request that the API server cannot read: fields that do not exist (in the object, inside a value of a wrong
 * type, or in a choice that does not exist), or metadata of a wrong type. The server checks nothing else then.
 */
function requestFaults(message: string): readonly Fault[] {
  const unknown = [...message.matchAll(/unknown field "([^"]+)"/g)].map(([, path = '']) => ({
    path,
    reasons: ['*'],
    message,
  }));
  const metadata = /cannot unmarshal .* field ObjectMeta\.(?:metadata\.)?([\w.]+)/.exec(message)?.[1];
  if (metadata !== undefined) return [{ path: `metadata.${metadata}`, reasons: ['*'], message }];
  return unknown.length > 0 ? unknown : [{ path: '', reasons: ['*'], message }];
}

function faultOf({ reason, message = '', field = '' }: Cause): Fault {
  const number = /Checked value must be of type .* in (\S+)$/.exec(message)?.[1];
  if (number !== undefined) return { path: number, reasons: ['WrongType'], message };
  return { path: field === '<nil>' ? '' : field, reasons: meanings(reason ?? '', message), message };
}

/** The reasons of our catalogue that a reason and a message of the API server can mean. */
function meanings(reason: string, message: string): readonly SpecReason[] {
  const own = /: ([A-Z]\w+): /.exec(message)?.[1];
  switch (reason) {
    case 'FieldValueRequired':
      return message.includes('name or generateName') ? ['MissingField', 'BadFormat'] : ['MissingField'];
    case 'FieldValueTypeInvalid':
      return message.includes('must be of type date-time') ? ['BadFormat', 'WrongType'] : ['WrongType', 'WrongValue'];
    case 'FieldValueNotSupported':
      return ['WrongValue'];
    case 'FieldValueDuplicate':
      return ['NamedTwice', 'DuplicateName', 'CountryTwice', 'HostTwice'];
    case 'FieldValueTooMany':
      return ['OutOfRange'];
    case 'FieldValueTooLong':
      return ['OutOfRange', 'BadFormat', 'BadAddress', 'BadPrefix'];
    default:
      if (own !== undefined) return [own as SpecReason];
      if (/should have at least/.test(message)) return ['EmptyList', 'EmptyDefault'];
      if (/should be (at least|greater|less)/.test(message)) return ['OutOfRange'];
      return ['BadFormat'];
  }
}

/**
 * True when both faults mean the same: they have a reason in common, and the path of one is that of the other or inside it (a
 * list and its entry). For the loader a field of another choice is unknown; the API server, with one schema for all choices,
 * also checks the value of such a field.
 */
export function sameFault(a: Fault, b: Fault): boolean {
  const noField = a.path === b.path && [a, b].some(({ reasons }) => reasons.includes('UnknownField'));
  const reason = a.reasons.includes('*') || b.reasons.includes('*') || a.reasons.some((one) => b.reasons.includes(one));
  return noField || (reason && (isInside(a.path, b.path) || isInside(b.path, a.path)));
}

function isInside(innerPath: string, outerPath: string): boolean {
  const [inner, outer] = [unquoted(innerPath), unquoted(outerPath)];
  return outer === '' || inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
}

/** Removes the quotes that the loader puts around names of fields that are not words. */
function unquoted(path: string): string {
  return path.replaceAll(/\.("(?:[^"\\]|\\.)*")/g, (_, quoted: string) => `.${JSON.parse(quoted)}`);
}

/** The path of the list for the path of an entry: the API server names a duplicate value of a list only once. */
function listOf(path: string): string {
  return path.replace(/\[\d+\](\.name)?$/, '');
}

/** The faults that one side found and the other did not although it could have. Empty when both agree. */
export function disagreement(loader: Verdict, server: Verdict): readonly string[] {
  const only = (mine: Verdict, others: Verdict): readonly Fault[] =>
    mine.faults.filter(
      (fault) =>
        !others.faults.some((other) => sameFault(fault, { ...other, path: listOf(other.path) })) &&
        !(others.partial && others.faults.length > 0),
    );
  const show = (side: string, faults: readonly Fault[]): readonly string[] =>
    faults.map(({ path, reasons, message }) => `${side}: ${path} ${reasons.join('|')}: ${message}`);
  const common = loader.faults.some((fault) => server.faults.some((other) => sameFault(fault, other)));
  const nothing = loader.accepted || server.accepted || common ? [] : ['no fault in common'];
  const verdicts = loader.accepted === server.accepted ? [] : [`loader ${loader.accepted}, server ${server.accepted}`];
  if (verdicts.length + nothing.length > 0)
    return [...verdicts, ...nothing, ...show('loader', loader.faults), ...show('server', server.faults)];
  return [...show('only loader', only(loader, server)), ...show('only server', only(server, loader))];
}
