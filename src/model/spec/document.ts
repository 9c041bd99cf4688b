/** Where a value lies inside a document: keys and indexes from the top. */
export type Path = readonly (string | number)[];

/** One document of a file, parsed but not yet validated. */
export interface SpecDocument {
  /** The file, as the person named it. */
  readonly file: string;
  /** Absolute folder of that file, from which the relative paths in it start. */
  readonly folder: string;
  readonly value: unknown;
  /** True when the text has syntax errors: `value` is then a guess, and only the names in it are used. */
  readonly broken: boolean;
  /** 1-based line of the value at `path` (or of its key), or of the nearest parent that exists. */
  readonly lineOf: (path: Path, what?: 'value' | 'key') => number;
}

/** The path as text: `spec.rules[0].countries[1]`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const shown = /^[\w$-]+$/.test(part) ? part : JSON.stringify(part);
    return text === '' ? shown : `${text}.${shown}`;
  }, '');
}

/** The value at `path`, or undefined. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, part) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, part) : undefined),
    value,
  );
}
