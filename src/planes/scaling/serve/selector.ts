/**
 * A label selector, as queries of the Kubernetes API carry it: `app=web,tier in (a,b),!canary`. Its grammar is that of
 * `k8s.io/apimachinery/pkg/labels`.
 */
export type Selector = readonly Requirement[];

interface Requirement {
  readonly key: string;
  readonly accepts: (value: string | undefined) => boolean;
}

/** Why a selector cannot be read. */
export class BadSelector extends Error {
  override readonly name = 'BadSelector';
}

const key = String.raw`(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?`;
const value = String.raw`[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?`;
const existence = new RegExp(`^(!?)\\s*(${key})$`);
const comparison = new RegExp(`^(${key})\\s*(==|=|!=|>|<)\\s*(${value}|)$`);
const membership = new RegExp(`^(${key})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const oneValue = new RegExp(`^(?:${value}|)$`);

/** Longer ones would be no selector of an autoscaler. */
const mostCharacters = 4096;

/** Reads a selector; an empty one accepts everything. Throws BadSelector. */
export function parseSelector(text: string): Selector {
  if (text.length > mostCharacters) throw new BadSelector(`a selector has ${mostCharacters} characters at most`);
  return requirementsIn(text).map(parseRequirement);
}

/** Whether something with these labels is selected. */
export function selects(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  return selector.every(({ key: name, accepts }) => accepts(Object.hasOwn(labels, name) ? labels[name] : undefined));
}

/** Commas separate requirements, except between the values of one. */
function requirementsIn(text: string): readonly string[] {
  if (text.trim() === '') return [];
  const parts: string[] = [];
  let from = 0;
  let isInside = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '(') isInside = true;
    else if (character === ')') isInside = false;
    else if (character === ',' && !isInside) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)].map((part) => part.trim());
}

function parseRequirement(text: string): Requirement {
  const [, not, present] = existence.exec(text) ?? [];
  if (present !== undefined) return { key: present, accepts: (found) => (found === undefined) === (not === '!') };
  const [, name, operator, wanted] = comparison.exec(text) ?? [];
  if (name !== undefined && wanted !== undefined) return { key: name, accepts: comparedBy(operator, wanted, text) };
  const [, among, verb, list] = membership.exec(text) ?? [];
  if (among === undefined || list === undefined) throw new BadSelector(`unable to parse requirement: ${text}`);
  const values = new Set(list.split(',').map((one) => one.trim()));
  for (const one of values) if (!oneValue.test(one)) throw new BadSelector(`invalid label value: ${one}`);
  const isIn = verb === 'in';
  return { key: among, accepts: (found) => (found !== undefined && values.has(found)) === isIn };
}

function comparedBy(operator: string | undefined, wanted: string, text: string): Requirement['accepts'] {
  if (operator === '!=') return (found) => found !== wanted;
  if (operator !== '>' && operator !== '<') return (found) => found === wanted;
  if (!/^\d+$/.test(wanted)) throw new BadSelector(`for '>' and '<' the value must be an integer: ${text}`);
  const than = BigInt(wanted);
  return (found) => {
    if (found === undefined || !/^-?\d+$/.test(found)) return false;
    return operator === '>' ? BigInt(found) > than : BigInt(found) < than;
  };
}
