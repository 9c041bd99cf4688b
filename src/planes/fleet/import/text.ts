import { Document } from 'yaml';
import { printable } from '../../../model/printable.ts';
import type { ImportedServer, ServerFinding, ServerImport } from './servers.ts';

/** How many lines of one kind a person reads; a source of thousands has the same fault in all of them. */
const mostLines = 20;
const mostNames = 5;

/** The report of an import: what is in doubt first, one line for each, and counts. */
export function renderServerImport({ servers, classes, findings }: ServerImport): readonly string[] {
  const of = (outcome: ServerFinding['outcome']) => findings.filter((one) => one.outcome === outcome);
  const names = (some: readonly ServerFinding[]): string => {
    const first = some.slice(0, mostNames).map(({ server }) => server);
    return `${first.join(' ')}${some.length > mostNames ? ` and ${some.length - mostNames} more` : ''}`;
  };
  const told = (some: readonly ServerFinding[], line: (one: ServerFinding) => readonly string[]) => [
    ...some.slice(0, mostLines).flatMap(line),
    ...(some.length > mostLines ? [`... and ${some.length - mostLines} more of these (-o json has all)`] : []),
  ];
  const grouped = (some: readonly ServerFinding[], verb: string) =>
    [...Map.groupBy(some, ({ what }) => what)].map(([what, alike]) => `${verb}: ${names(alike)}: ${what}`);
  const noted = findings.flatMap((one) => one.notes.map((note) => ({ ...one, what: note })));
  const [left, kept] = [of('left'), [...of('new'), ...of('same')]];
  return [
    ...told(of('refused'), ({ server, what, at, fix }) => [
      `${server} is not imported: ${what}${at === undefined || at === server ? '' : ` (${at})`}`,
      ...(fix === undefined ? [] : [`    fix: ${fix}`]),
    ]),
    ...told(of('different'), ({ server, what }) => [`${server} stays as the spec has it: ${what}`]),
    ...grouped(of('gone'), 'gone'),
    ...grouped(left, 'left out').slice(0, mostLines),
    ...grouped(noted, 'note').slice(0, mostLines),
    ...[...Map.groupBy(of('new'), ({ what }) => what)].map(([site, some]) => `new in ${site}: ${names(some)}`),
    `machines: ${findings.length - of('gone').length}, new: ${servers.length}, same: ${kept.length - of('new').length}, different: ${of('different').length}, gone: ${of('gone').length}, left out: ${left.length}, refused: ${of('refused').length}, new classes: ${classes.length}`,
  ];
}

/** Documents of a file; the platform spec takes 1,000 in one. */
const mostDocuments = 500;

/** The files of an import by name: the classes, and the servers of each site. */
export function filesOf({ servers, classes }: ServerImport): ReadonlyMap<string, string> {
  const written = classes.map((one) => textOf(one));
  const files = new Map(written.length === 0 ? [] : [['classes.yaml', written.join('---\n')]]);
  for (const [site, some] of Map.groupBy(servers, ({ document }) => String(document.spec['site'])))
    for (let part = 0; part * mostDocuments < some.length; part += 1)
      files.set(
        `servers-${site}${part === 0 ? '' : `-${part + 1}`}.yaml`,
        some
          .slice(part * mostDocuments, (part + 1) * mostDocuments)
          .map(({ document, origin }: ImportedServer) => textOf(document, origin))
          .join('---\n'),
      );
  return files;
}

function textOf(value: unknown, origin?: string): string {
  const document = new Document(value);
  if (origin !== undefined && document.contents !== null) document.contents.commentBefore = ` ${printable(origin)}`;
  return document.toString({ lineWidth: 120 });
}
