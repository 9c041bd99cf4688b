import { type Answer, type Finding, failed, names, ok, quote, unanswered, warning } from '../finding.ts';
import { compareSchemas } from './schema-difference.ts';

/** The parts of a CustomResourceDefinition that are judged; all others are ignored. */
export interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly schema?: { readonly openAPIV3Schema?: unknown };
    }[];
  };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly storedVersions?: readonly string[];
  };
}

export interface ExpectedCrd {
  readonly crd: Crd;
  /** The file to apply, as a person would name it. */
  readonly file: string;
}

/** Judges the CRDs: one finding for each that is not as this version makes it, and one `ok` for all the others. */
export function judgeCrds(
  expected: readonly ExpectedCrd[],
  answers: ReadonlyMap<string, Answer<Crd>>,
  who: string,
): readonly Finding[] {
  const good: string[] = [];
  const bad = expected.flatMap(({ crd, file }) => {
    const { name } = crd.metadata;
    const finding = judgeCrd(crd, file, answers.get(name) ?? { failed: `${name} was not asked for` }, who);
    if (finding === undefined) good.push(name.split('.')[0] ?? name);
    return finding === undefined ? [] : [finding];
  });
  const [first] = bad;
  // One missing right hides all CRDs, so one finding is enough.
  if (first?.state === 'unknown' && bad.every((finding) => finding.reason === first.reason)) return [first];
  return good.length === 0 ? bad : [ok('crds', `${good.join(', ')}: as this version makes them`), ...bad];
}

function judgeCrd(expected: Crd, file: string, answer: Answer<Crd>, who: string): Finding | undefined {
  const { name } = expected.metadata;
  if ('missing' in answer)
    return failed('crds', 'CrdMissing', {
      found: `${name} is not installed`,
      fix: `kubectl apply --server-side -f ${quote(file)}`,
    });
  if (!('got' in answer)) return unanswered('crds', answer, who);
  const actual = answer.got;
  return schemaFault(expected, actual, file) ?? servedFault(actual) ?? storedFault(expected, actual);
}

function servedFault({ metadata: { name }, status }: Crd): Finding | undefined {
  const conditions = status?.conditions ?? [];
  if (conditions.some(({ type, status: value }) => type === 'Established' && value === 'True')) return undefined;
  const why = conditions.find(({ status: value, message }) => value === 'False' && message !== undefined)?.message;
  return failed('crds', 'CrdNotEstablished', {
    found: `${name} is installed and not served${why === undefined ? '' : `: ${why}`}`,
    expected: 'the condition Established',
    fix: `kubectl wait --for=condition=Established --timeout=60s crd/${name} || kubectl describe crd ${name}`,
  });
}

function storedFault(expected: Crd, { metadata: { name }, status }: Crd): Finding | undefined {
  const current = expected.spec.versions.find(({ storage }) => storage)?.name ?? '';
  const old = (status?.storedVersions ?? []).filter((version) => version !== current);
  if (old.length === 0) return undefined;
  const plural = name;
  return warning('crds', 'CrdStoredVersions', {
    found: `objects of ${name} may be stored as ${old.join(', ')}`,
    expected: `all of them stored as ${current}`,
    fix: `kubectl get ${plural} -o json | kubectl replace -f - && kubectl patch crd ${name} --subresource=status --type=merge -p '{"status":{"storedVersions":["${current}"]}}'`,
  });
}

function schemaFault(expected: Crd, actual: Crd, file: string): Finding | undefined {
  const { name } = expected.metadata;
  const want = expected.spec.versions.find(({ storage }) => storage);
  const have = actual.spec.versions.find((version) => version.name === want?.name);
  const fix = `kubectl replace -f ${quote(file)}`;
  if (want === undefined || have?.served !== true)
    return failed('crds', 'CrdOlder', { found: `${name} does not serve ${want?.name ?? 'any version'}`, fix });
  const { lacking, extra, different } = compareSchemas(want.schema?.openAPIV3Schema, have.schema?.openAPIV3Schema);
  if (lacking.length === 0 && extra.length === 0 && different.length === 0) return undefined;
  if (lacking.length > 0 && extra.length === 0)
    return failed('crds', 'CrdOlder', {
      found: `${name} is older than this version: it lacks ${names(lacking)}`,
      expected: `the schema of ${file}`,
      fix,
    });
  if (extra.length > 0 && lacking.length === 0)
    return warning('crds', 'CrdNewer', {
      found: `${name} is newer than this version: it also has ${names(extra)}`,
      expected: `the schema of ${file}, or a newer version of Tideline here`,
      fix,
    });
  return failed('crds', 'CrdDiffers', {
    found: `${name} differs in ${names([...lacking, ...extra, ...different])}`,
    expected: `the schema of ${file}`,
    fix,
  });
}
