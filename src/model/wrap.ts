/**
 * A line as several of at most `columns` characters, broken at spaces; those after the first are indented two further than the line
 * itself. Nothing is cut: a word that is longer than a line stands on a line of its own, as long as it is. Spaces inside a line stay, so
 * that the cells of a table do. A width of 0 or none is one that is not known, and the line stays whole.
 */
export function wrapLine(line: string, columns: number | undefined): readonly string[] {
  if (columns === undefined || columns < 1 || line.length <= columns) return [line];
  const own = /^ */.exec(line)?.[0] ?? '';
  // Where an indent would leave hardly a word, the lines have none.
  const indent = own.length + 2 <= columns / 2 ? `${own}  ` : '';
  const lines: string[] = [];
  let current = own;
  for (const [, gap = '', word = ''] of line.slice(own.length).matchAll(/( *)([^ ]+)/g)) {
    const isFirst = current.trim() === '';
    if (isFirst || current.length + gap.length + word.length <= columns) current += isFirst ? word : gap + word;
    else {
      lines.push(current);
      current = indent + word;
    }
  }
  return [...lines, current];
}
