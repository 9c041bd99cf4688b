import { apiVersion } from '../../../src/model/contract.ts';
import { buildPlatform } from '../../../src/model/spec/build.ts';
import { valueAt } from '../../../src/model/spec/document.ts';
import { isKindName } from '../../../src/model/spec/kinds.ts';
import type { SpecReason } from '../../../src/model/spec/reasons.ts';
import { crdOf } from '../../../tools/spec/crd.ts';
import type { RawAnswer, RawClient } from './raw.ts';

/** One thing that is wrong, in the words of both sides. */
export interface Fault {
  /** `spec.rules[0].countries[1]` */
  readonly path: string;
  /** What the loader calls it; of the API server's own words, what they can mean. */
  readonly reasons: readonly string[];
  readonly message: string;
}

export interface Verdict {
  readonly accepted: boolean;
  readonly faults: readonly Fault[];
  /** True when the faults kept this side from looking for those that only several fields together have. */
  readonly partial: boolean;
}

/** What the loader says of one object alone: a reference to another object is no fault of it. */
export function loaderVerdict(value: unknown): Verdict {
  const document = { file: 'object.json', folder: '/', value, broken: false, lineOf: () => 1 };
  const problems = buildPlatform([document], 0).problems.filter(({ reason }) => reason !== 'UnknownName');
  const faults = problems.map(({ path = '', reason, message }) => ({
    path,
    reasons: reason === 'WrongChoice' ? ['*'] : [reason],
    message,
  }));
  return { accepted: faults.length === 0, faults, partial: problems.some(({ reason }) => ofShape.has(reason)) };
}

/** What the API server says of it, as kubectl asks: with strict field validation. Nothing is kept. */
export async function serverVerdict(client: RawClient, value: unknown): Promise<Verdict> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return unserved('', value, 'NotAnObject');
  const version = valueAt(value, ['apiVersion']);
  const kind = valueAt(value, ['kind']);
  if (version !== apiVersion) return unserved('apiVersion', version, 'UnknownApiVersion');
  if (!isKindName(kind)) return unserved('kind', kind, 'UnknownKind');
  const path = `/apis/${apiVersion}/${crdOf(kind).spec.names.plural}?dryRun=All&fieldValidation=Strict`;
  return verdictOf(await client.send('POST', path, value));
}

/** There is no place to send it to: kubectl says that there are no matches for the kind, or that it is missing. */
function unserved(path: string, value: unknown, reason: SpecReason): Verdict {
  const reasons = value === undefined || value === null ? ['MissingField', reason] : [reason];
  return { accepted: false, faults: [{ path, reasons, message: 'no matches for kind' }], partial: true };
}

/** Found while an object is parsed; the loader looks at what its fields mean together only when there is none. */
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
 * A request that cannot be read: fields that do not exist (here or inside something of a wrong type or in a choice that
 * is none), or metadata of a wrong type. Nothing else is looked at.
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

/** The API server's own reasons and words, and what of our catalogue they mean. */
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
 * True when both mean the same: a reason in common, at one place or at one inside the other (a list and its entry). A field
 * of another choice is none for the loader; the API server, with one schema for all choices, also judges what is in it.
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

/** The loader quotes names of fields that are no words. */
function unquoted(path: string): string {
  return path.replaceAll(/\.("(?:[^"\\]|\\.)*")/g, (_, quoted: string) => `.${JSON.parse(quoted)}`);
}

/** The API server names a value that a list has several times only once. */
function listOf(path: string): string {
  return path.replace(/\[\d+\](\.name)?$/, '');
}

/** What one side found and the other did not, though nothing kept it from looking; empty: they agree. */
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
