/** Reads one value and keeps only the fields that its shape names; throws WrongShape. Null counts as absent, as in Kubernetes. */
export type Picker<T> = (value: unknown) => T;

/** The type of a field when it is there. */
export type Present<T> = Exclude<T, undefined>;
/** The type of the items of a list when it is there. */
export type Item<T> = Present<T> extends readonly (infer E)[] ? E : never;

/** The error for a field of the wrong type. Every level that it passes on the way up adds its step to `path`. */
export class WrongShape extends Error {
  path: string;
  readonly expected: string;
  constructor(expected: string) {
    super(`expected ${expected}`);
    this.name = 'WrongShape';
    this.path = '';
    this.expected = expected;
  }
  under(step: string): this {
    this.path = this.path === '' || this.path.startsWith('[') ? `${step}${this.path}` : `${step}.${this.path}`;
    return this;
  }
}

export const text: Picker<string> = (value) => {
  if (typeof value !== 'string') throw new WrongShape('a string');
  return value;
};

export const flag: Picker<boolean> = (value) => {
  if (typeof value !== 'boolean') throw new WrongShape('true or false');
  return value;
};

export const whole: Picker<number> = (value) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new WrongShape('a whole number');
  return value;
};

export function either<A, B>(first: Picker<A>, second: Picker<B>): Picker<A | B> {
  return (value) => {
    try {
      return first(value);
    } catch {
      return second(value);
    }
  };
}

export function orNull<T>(item: Picker<T>): Picker<T | null> {
  return (value) => (value === null || value === undefined ? null : item(value));
}

export function listOf<T>(item: Picker<T>): Picker<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) throw new WrongShape('a list');
    const list: readonly unknown[] = value;
    return list.map((element, index) => within(`[${index}]`, item, element));
  };
}

export function recordOf<T>(item: Picker<T>): Picker<Readonly<Record<string, T>>> {
  return (value) => {
    const result: Record<string, T> = {};
    for (const [key, element] of Object.entries(asRecord(value))) {
      if (element !== null) result[key] = within(key, item, element);
    }
    return result;
  };
}

/** Picks an object with these fields: other fields are dropped, absent ones left out, and `required` ones must be there. */
export function shape<T extends object>(
  fields: { readonly [K in keyof T]-?: Picker<Present<T[K]>> },
  required: readonly (keyof T & string)[] = [],
): Picker<T> {
  const entries = Object.entries<Picker<unknown>>(fields);
  return (value) => {
    const source = asRecord(value);
    const result: Record<string, unknown> = {};
    for (const [key, pick] of entries) {
      const field = source[key];
      if (field !== undefined && field !== null) result[key] = within(key, pick, field);
    }
    for (const key of required) {
      if (result[key] === undefined) throw new WrongShape('a value').under(key);
    }
    // Every key was read by the picker of its own field and the required ones are there.
    return result as T;
  };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new WrongShape('a mapping');
  return value as Readonly<Record<string, unknown>>;
}

function within<T>(step: string, pick: Picker<T>, value: unknown): T {
  try {
    return pick(value);
  } catch (error) {
    throw error instanceof WrongShape ? error.under(step) : error;
  }
}
