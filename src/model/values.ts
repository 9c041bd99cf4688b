/** What an unknown error says of itself, for logs and answers; never a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Code unit order, the same on every machine and in every locale (localeCompare is not). For `sort` and `toSorted`. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** For entries of a Map or an object: by their key. */
export function compareKeys([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number {
  return compareText(a, b);
}

type WithoutUndefined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The same properties, those that are undefined left out: with exactOptionalPropertyTypes absent and undefined are not the same. */
export function withoutUndefined<const T extends object>(fields: T): WithoutUndefined<T> {
  // The filter makes it true, which the compiler cannot see.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as WithoutUndefined<T>;
}
