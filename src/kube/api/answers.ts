import { ApiError } from './client.ts';

type Raw = Readonly<Record<string, unknown>>;

/** One page of a list. */
export interface Page {
  readonly items: readonly Raw[];
  readonly next: string | undefined;
  /** The version of the whole list: all its pages show the objects at this version. */
  readonly resourceVersion: string;
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Raw; readonly resourceVersion: string }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** Reads one page of a list. Throws ApiError `BadAnswer` when the answer is not a list. */
export function readPage(answer: unknown): Page {
  const { items, metadata } = asRaw(answer);
  const { resourceVersion, continue: next } = asRaw(metadata);
  // An empty list of a custom resource may come as null.
  const list: readonly unknown[] | undefined = items === null ? [] : Array.isArray(items) ? items : undefined;
  if (list === undefined || typeof resourceVersion !== 'string' || resourceVersion === '')
    throw new ApiError(0, 'BadAnswer', 'the answer is not a list');
  return { items: list.map(asRaw), next: typeof next === 'string' && next !== '' ? next : undefined, resourceVersion };
}

/** Reads one line of a watch. Throws ApiError: the server's own for an ERROR event, `BadAnswer` when the line is not an event. */
export function readEvent(line: string): WatchEvent {
  const { type, object } = asRaw(parse(line));
  const raw = asRaw(object);
  if (type === 'ERROR') throw statusOf(raw);
  const { resourceVersion } = asRaw(raw['metadata']);
  if (typeof resourceVersion !== 'string' || resourceVersion === '') throw bad('an event without a resourceVersion');
  if (type === 'BOOKMARK') return { type, resourceVersion };
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') return { type, object: raw, resourceVersion };
  throw bad(`an event of type ${JSON.stringify(type)?.slice(0, 40)}`);
}

function statusOf(status: Raw): ApiError {
  const { code, reason, message } = status;
  return new ApiError(
    typeof code === 'number' ? code : 500,
    typeof reason === 'string' && reason !== '' ? reason : 'InternalError',
    typeof message === 'string' ? message : 'the watch ended with an error',
  );
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw bad(`a line that is not JSON, of ${line.length} characters`);
  }
}

function bad(what: string): ApiError {
  return new ApiError(0, 'BadAnswer', `the watch sent ${what}`);
}

/** Takes a mapping for what it is. Throws ApiError `BadAnswer` for anything else. */
export function asRaw(value: unknown): Raw {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ApiError(0, 'BadAnswer', 'the answer holds something else where a mapping is due');
  return value as Raw;
}
