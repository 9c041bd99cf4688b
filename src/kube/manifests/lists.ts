/** An item of a list, as a YAML sequence of one item. `line` counts from 0 in the text that it was cut from. */
export interface ListItem {
  readonly text: string;
  readonly line: number;
}

export interface CutList {
  /** The text without the items: apiVersion, kind, metadata, and `items` without a value. */
  readonly rest: string;
  readonly items: readonly ListItem[];
}

/**
 * Cuts a list as `kubectl get -o yaml` prints it into its items, so that a large one need not be parsed in one go, which takes
 * seconds during which an agent neither renews its lease nor answers. All items start at one column, and their other lines
 * are further right (YAML 1.2, 8.2.1). Undefined when the text may not be such a list, or has an alias, which may point into
 * another item.
 */
export function cutList(text: string): CutList | undefined {
  const head = /^items:[ \t]*\r?\n/m.exec(text);
  if (head === null || /[\s[{,]\*[^\s*]/.test(text)) return undefined;
  const start = head.index + head[0].length;
  const indent = /^( *)- /.exec(text.slice(start, start + 100))?.[1];
  if (indent === undefined) return undefined;
  const items: ListItem[] = [];
  let line = countLines(text.slice(0, start));
  let at = start;
  let itemAt = start;
  let itemLine = line;
  while (at < text.length) {
    const end = lineEnd(text, at);
    const isItem = text.startsWith(`${indent}- `, at);
    if (isItem && at > itemAt) {
      items.push({ text: text.slice(itemAt, at), line: itemLine });
      itemAt = at;
      itemLine = line;
    } else if (!isItem && !text.startsWith(`${indent} `, at) && /[^\s]/.test(text.slice(at, end))) break;
    at = end;
    line += 1;
  }
  items.push({ text: text.slice(itemAt, at), line: itemLine });
  const rest = text.slice(0, start) + text.slice(at);
  return /^items:/m.test(text.slice(at)) ? undefined : { rest, items };
}

function lineEnd(text: string, at: number): number {
  const newline = text.indexOf('\n', at);
  return newline < 0 ? text.length : newline + 1;
}

export function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
