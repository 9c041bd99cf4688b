/** The message of an unknown error, for logs and answers, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Compares by code units, for `sort` and `toSorted`: the order is the same on every machine and in every locale
 * (localeCompare's is not).
 */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares entries of a Map or an object by their keys. */
export function compareKeys([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number {
  return compareText(a, b);
}

type WithoutUndefined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The properties that are not undefined: with exactOptionalPropertyTypes an absent and an undefined property differ. */
export function withoutUndefined<const T extends object>(fields: T): WithoutUndefined<T> {
  // It is called for every path of every Ingress: a loop makes no list of entries.
  const kept: { [K in keyof T]?: unknown } = {};
  for (const key of Object.keys(fields) as (keyof T)[]) if (fields[key] !== undefined) kept[key] = fields[key];
  // The loop makes the type true, which the compiler cannot see.
  return kept as WithoutUndefined<T>;
}
