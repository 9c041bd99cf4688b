/** Text for man(7), the macros that man and mandoc both read. */

/** Text of a line: nothing in it is a request or an escape, and every dash can be copied from the page. */
export function roff(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/, '\\&$&');
  return escaped.replace(
    /[^\x20-\x7e]/g,
    (character) => `\\[u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`,
  );
}

const bold = (text: string): string => `\\fB${roff(text)}\\fR`;

export function section(title: string): readonly string[] {
  return [`.SH ${quoted(title)}`];
}

export function subsection(title: string): readonly string[] {
  return [`.SS ${quoted(title)}`];
}

/** A term, and indented below it what it is. */
export function entry(term: string, text: string): readonly string[] {
  return ['.TP', bold(term), ...(text === '' ? [] : [roff(text)])];
}

/** The same as `paragraphs`, right below a heading. */
export function opening(text: string): readonly string[] {
  return paragraphs(text).slice(1);
}

/** Paragraphs of a text: empty lines part them, and lines that are indented, or that end a sentence early, stay lines. */
export function paragraphs(text: string): readonly string[] {
  return text
    .trim()
    .split(/\n{2,}/)
    .filter((block) => block !== '')
    .flatMap((block) => {
      const lines = block.split('\n');
      if (/^ /m.test(block)) return ['.PP', '.nf', ...lines.map(roff), '.fi'];
      return [
        '.PP',
        ...lines.flatMap((line, index) => (beginsAnew(line, lines[index - 1]) ? ['.br', roff(line)] : [roff(line)])),
      ];
    });
}

function beginsAnew(line: string, before: string | undefined): boolean {
  return before !== undefined && /^[A-Z]/.test(line) && (before.length < 100 || before.endsWith('.'));
}

/** An argument of a macro. */
function quoted(text: string): string {
  return `"${roff(text).replaceAll('"', '\\(dq')}"`;
}
