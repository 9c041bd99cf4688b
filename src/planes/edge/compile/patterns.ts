/**
 * Regular expressions of ingress-nginx (`location ~* "^<path>"`): anchored at their beginning only, and without regard to case.
 * None is ever run here, because its author may be hostile; what cannot be told of one is answered for the worst case.
 */

/** What every match of a pattern begins with, for one of its alternatives. */
export interface Beginning {
  readonly text: string;
  /** The match ends with the text. */
  readonly ends: boolean;
}

type Token =
  | { readonly kind: 'literal'; readonly character: string; readonly length: number }
  | { readonly kind: 'choice'; readonly options: readonly string[]; readonly length: number }
  // The end of the path, the end of the pattern, and what is not understood and may match anything.
  | { readonly kind: 'end' }
  | { readonly kind: 'done' }
  | { readonly kind: 'anything' };

const mostBeginnings = 16;
/** A dot is none: alone it stands for itself in names of files. With a quantifier it is found by that. */
const metacharacter = /[\\^$|()[\]{}*+?]/;
const simpleGroup = /^\((?:\?:)?((?:[^()[\]\\*+?{}^]|\\[^A-Za-z0-9|])*)\)(?![*+?{])/;
const simpleClass = /^\[([A-Za-z0-9_]{1,8})\](?![*+?{])/;

/** Whether ingress-nginx, asked for regular expressions, would take more from the path than its text. */
export function isPattern(path: string): boolean {
  return metacharacter.test(path);
}

/** The beginnings of all matches of a pattern; where there are many, one that they have in common. */
export function beginningsOf(pattern: string): readonly Beginning[] {
  if (hasAlternatives(pattern)) return [{ text: '', ends: false }];
  const found: Beginning[] = [];
  collect(pattern, '', found);
  return found.length <= mostBeginnings ? found : [{ text: commonBeginning(pattern), ends: false }];
}

/** Whether ingress-nginx asks a pattern before another path of the host: the longer one is first, then the later in order. */
export function goesFirst(path: string, pattern: string): boolean {
  return path.length > pattern.length || (path.length === pattern.length && path > pattern);
}

/** How much may still be compared; where nothing is left, everything may match. */
export interface Steps {
  left: number;
}

/** Whether a request for a path, or for what is below it, may match a pattern. */
export function mayMatch(pattern: string, path: string, steps: Steps): boolean {
  steps.left -= 1;
  return steps.left <= 0 || hasAlternatives(pattern) || agrees(pattern, path.toLowerCase(), steps);
}

function collect(pattern: string, before: string, found: Beginning[]): void {
  let [rest, text] = [pattern, before];
  for (let token = nextToken(rest); ; token = nextToken(rest)) {
    if (found.length > mostBeginnings) return;
    if (token.kind === 'choice') {
      for (const option of token.options) collect(option + rest.slice(token.length), text, found);
      return;
    }
    if (token.kind !== 'literal') {
      found.push({ text, ends: token.kind === 'end' });
      return;
    }
    text += token.character;
    rest = rest.slice(token.length);
  }
}

function agrees(pattern: string, path: string, steps: Steps): boolean {
  let rest = pattern;
  for (let at = 0; at < path.length; at += 1) {
    steps.left -= 1;
    const token = nextToken(rest);
    if (steps.left <= 0 || token.kind === 'done' || token.kind === 'anything') return true;
    if (token.kind === 'end') return false;
    if (token.kind === 'choice') {
      const after = rest.slice(token.length);
      return token.options.some((option) => agrees(option + after, path.slice(at), steps));
    }
    if (token.character !== '.' && token.character.toLowerCase() !== path.charAt(at)) return false;
    rest = rest.slice(token.length);
  }
  return true;
}

function nextToken(rest: string): Token {
  if (rest === '') return { kind: 'done' };
  if (rest.startsWith('$')) return { kind: 'end' };
  const [group, alternatives] = simpleGroup.exec(rest) ?? [];
  if (group !== undefined) return { kind: 'choice', options: alternatives?.split('|') ?? [], length: group.length };
  const [charClass, characters] = simpleClass.exec(rest) ?? [];
  if (charClass !== undefined)
    return { kind: 'choice', options: characters?.split('') ?? [], length: charClass.length };
  const length = /^\\[^A-Za-z0-9]/.test(rest) ? 2 : 1;
  const character = rest.charAt(length - 1);
  // A quantifier that may mean none makes the character before it optional.
  const optional = /[*?{]/.test(rest.charAt(length)) || (rest.startsWith('.+') && length === 1);
  if (optional || (length === 1 && metacharacter.test(character))) return { kind: 'anything' };
  return { kind: 'literal', character, length };
}

/** Whether a pattern has alternatives outside of groups: its matches have no beginning in common, and only the first is anchored. */
function hasAlternatives(pattern: string): boolean {
  const bare = pattern.replace(/\\.|\[[^\]]*\]/g, '');
  let depth = 0;
  for (const [character] of bare.matchAll(/[()|]/g)) {
    if (character === '|' && depth <= 0) return true;
    if (character !== '|') depth += character === '(' ? 1 : -1;
  }
  return false;
}

/** The text before the first alternatives. */
function commonBeginning(pattern: string): string {
  let [rest, text] = [pattern, ''];
  for (let token = nextToken(rest); token.kind === 'literal'; token = nextToken(rest)) {
    text += token.character;
    rest = rest.slice(token.length);
  }
  return text;
}
