import { rasterOf } from '../../../geo/world/raster.ts';
import type { WorldMap } from '../../../geo/world/world.ts';
import type { Segment } from '../../../runtime/print.ts';
import { neutral, type Paint } from './paint.ts';
import { type Group, legendOf, type WorldView } from './view.ts';

export interface TextSize {
  readonly columns: number;
  readonly colour: boolean;
}

/** The lines of a map and its legend. In colour a character shows two cells, one above the other; else a letter shows one. */
export function mapLines(
  map: WorldMap,
  view: WorldView,
  paints: ReadonlyMap<Group, Paint>,
  { columns, colour }: TextSize,
): readonly (readonly Segment[])[] {
  const owners = new Map(view.groups.flatMap((group) => group.countries.map((code) => [code, group] as const)));
  const paintOf = (code: string | undefined): Paint | undefined => {
    const group = code === undefined ? undefined : owners.get(code);
    return group === undefined ? undefined : (paints.get(group) ?? neutral);
  };
  // A character of a terminal is about twice as high as wide.
  const rows = Math.round((columns * map.height) / map.width / 2);
  const cells = rasterOf(map, columns, colour ? rows * 2 : rows);
  const drawn = colour
    ? Array.from({ length: rows }, (_, row) => pairLine(cells[row * 2] ?? [], cells[row * 2 + 1] ?? [], paintOf))
    : cells.map((line) => [
        {
          text: line
            .map((code) => paintOf(code)?.letter ?? ' ')
            .join('')
            .trimEnd(),
        },
      ]);
  return [
    [{ text: titleOf(view) }],
    ...drawn,
    ...view.groups.map((group) => legendLine(group, paints.get(group) ?? neutral, colour)),
    ...view.notes.map((text) => [{ text }]),
  ];
}

/** Which host, family and world the map draws. */
export function titleOf({ host, what, down, now }: WorldView): string {
  return `${host}, ${what}, ${now === undefined ? supposedText(down) : presentText(now)}`;
}

function supposedText(down: readonly string[]): string {
  return down.length === 0 ? 'while all is healthy' : `while ${downText(down)}`;
}

function presentText({ down, unknown }: NonNullable<WorldView['now']>): string {
  const said = [
    down.length === 0 ? 'nothing is known to be down' : downText(down),
    ...(unknown.length === 0 ? [] : [`not known: ${unknown.join(', ')}`]),
  ];
  return `in the present health (${said.join('; ')})`;
}

const downText = (down: readonly string[]): string => `${down.join(' and ')} ${down.length === 1 ? 'is' : 'are'} down`;

function legendLine(group: Group, { letter, ansi }: Paint, colour: boolean): readonly Segment[] {
  const text = ` ${legendOf(group)}`;
  return colour ? [{ text: '██', foreground: ansi }, { text }] : [{ text: letter }, { text }];
}

type PaintOf = (code: string | undefined) => Paint | undefined;

function pairLine(
  upper: readonly (string | undefined)[],
  lower: readonly (string | undefined)[],
  paintOf: PaintOf,
): readonly Segment[] {
  return upper.map((code, column) => {
    const [above, below] = [paintOf(code)?.ansi, paintOf(lower[column])?.ansi];
    if (above === undefined) return below === undefined ? { text: ' ' } : { text: '▄', foreground: below };
    return below === undefined ? { text: '▀', foreground: above } : { text: '▀', foreground: above, background: below };
  });
}
