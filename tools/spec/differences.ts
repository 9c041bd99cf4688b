import { type Path, valueAt } from '../../src/model/spec/document.ts';
import { isKindName } from '../../src/model/spec/kinds.ts';
import { schemaOf, schemasAt } from '../../src/model/spec/schema.ts';

export interface Difference {
  readonly what: string;
  readonly loader: string;
  readonly server: string;
  readonly why: string;
}

/** The differences that the file loader and the API server must have about one object. A test shows each. */
export const differences = {
  null: {
    what: 'a field that is null (`limits:` with nothing after it)',
    loader: '`WrongType`',
    server: 'takes it as absent',
    why: 'Kubernetes drops null before it validates. In a file it is mostly a mistake.',
  },
  status: {
    what: '`status`',
    loader: '`UnknownField`',
    server: 'drops it; only `/status` writes it',
    why: 'A file says what is wanted, never what is.',
  },
  never: {
    what: 'a choice of a TrafficPolicy that its `never` forbids',
    loader: '`ForbiddenChoice`',
    server: 'takes it; `tideline check` and the agents refuse it',
    why: 'Which rule decides for a country of a continent costs more to find out than an API server allows for one rule.',
  },
  networks: {
    what: 'two networks of the rules of a TrafficPolicy that share addresses',
    loader: '`NetworksOverlap`',
    server: 'takes them; `tideline check` and the agents refuse them',
    why: 'To compare each with each costs more than an API server allows for one rule.',
  },
  metadata: {
    what: 'fields of metadata other than name, labels and annotations (`finalizers`, `ownerReferences`, ...)',
    loader: '`UnknownField`',
    server: 'takes those that Kubernetes knows',
    why: 'They belong to what runs in a cluster and mean nothing in a file.',
  },
  unknownField: {
    what: 'an unknown field, when the client asks for less than strict validation',
    loader: '`UnknownField`',
    server: 'drops it, with a warning (`fieldValidation=Warn`, the default of the API) or without one (`Ignore`)',
    why: 'Strict is the default of `kubectl apply` and `kubectl create`, and refuses it; an API server cannot insist.',
  },
} as const satisfies Readonly<Record<string, Difference>>;

/** The object as the API server sees it when it validates: without status, and without known fields that are null. */
export function seenByServer(value: unknown): unknown {
  const kind = valueAt(value, ['kind']);
  return isKindName(kind) ? without(value, [], (path) => schemasAt(schemaOf(kind), path).length > 0) : value;
}

function without(value: unknown, path: Path, known: (path: Path) => boolean): unknown {
  if (Array.isArray(value)) return value.map((entry, index) => without(entry, [...path, index], known));
  if (value === null && isLabels(path.slice(0, -1))) return '';
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, inner]) =>
      !(path.length === 0 && key === 'status' && isStatus(inner)) &&
      !(inner === null && !isLabels(path) && known([...path, key])),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, without(inner, [...path, key], known)]));
}

/** True for a path into the status: unknown fields are refused there too, but nothing else of it is checked. */
function isStatus(value: unknown): boolean {
  const known = ['observedGeneration', 'addresses', 'conditions'];
  return (
    Array.isArray(value) || Object.keys(Object(value)).every((key) => typeof value !== 'object' || known.includes(key))
  );
}

/** True for labels and annotations, whose values are texts to the API server: null is the empty text. */
function isLabels(path: Path): boolean {
  return path.length === 2 && path[0] === 'metadata' && (path[1] === 'labels' || path[1] === 'annotations');
}
