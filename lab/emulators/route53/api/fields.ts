import { invalidInput } from '../reasons.ts';
import type { Element } from './xml.ts';

/**
 * Reads the fields of an element, each once. An unknown or repeated field, or one of the wrong type, is an InvalidInput that
 * names it: the emulator must not ignore what it does not understand.
 */
export class Fields {
  readonly name: string;
  readonly #children: ReadonlyMap<string, Element>;

  /** `known` are the children that may occur; `notEmulated` are Route 53's children that are refused with a hint. */
  constructor(element: Element, known: readonly string[], notEmulated: readonly string[] = []) {
    this.name = element.name;
    const children = new Map<string, Element>();
    for (const child of element.children) {
      if (notEmulated.includes(child.name)) throw invalidInput(`${element.name}.${child.name} is not emulated`);
      if (!known.includes(child.name)) throw invalidInput(`unknown element ${child.name} in ${element.name}`);
      if (children.has(child.name)) throw invalidInput(`element ${child.name} occurs twice in ${element.name}`);
      children.set(child.name, child);
    }
    if (element.text.trim() !== '') throw invalidInput(`unexpected text in ${element.name}`);
    this.#children = children;
  }

  element(name: string): Element | undefined {
    return this.#children.get(name);
  }

  text(name: string): string | undefined {
    const child = this.#children.get(name);
    if (child !== undefined && child.children.length > 0) throw invalidInput(`${this.name}.${name} must be text`);
    return child?.text;
  }

  requiredText(name: string): string {
    const text = this.text(name);
    if (text === undefined || text === '') throw invalidInput(`${this.name}.${name} is required`);
    return text;
  }

  required(name: string): Element {
    const child = this.#children.get(name);
    if (child === undefined) throw invalidInput(`${this.name}.${name} is required`);
    return child;
  }

  boolean(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === undefined || text === 'true' || text === 'false')
      return text === undefined ? undefined : text === 'true';
    throw invalidInput(`${this.name}.${name} must be true or false`);
  }

  integer(name: string, minimum: number, maximum: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^-?\d{1,15}$/.test(text) || value < minimum || value > maximum)
      throw invalidInput(`${this.name}.${name} must be a whole number from ${minimum} to ${maximum}, not ${text}`);
    return value;
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = values.find((candidate) => candidate === text);
    if (value === undefined)
      throw invalidInput(`${this.name}.${name} must be one of ${values.join(', ')}, not ${text}`);
    return value;
  }

  /** The children of a list element, all of one name. Undefined when the list is absent. */
  list(name: string, item: string): readonly Element[] | undefined {
    const list = this.#children.get(name);
    for (const child of list?.children ?? []) {
      if (child.name !== item) throw invalidInput(`unknown element ${child.name} in ${this.name}.${name}`);
    }
    return list?.children;
  }

  /** The texts of a list element. */
  texts(name: string, item: string): readonly string[] | undefined {
    return this.list(name, item)?.map((child) => child.text);
  }
}
