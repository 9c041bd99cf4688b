import type { WorldMap } from '../../../geo/world/world.ts';
import { countryOf } from '../../../model/geo/countries.ts';
import { neutral, type Paint } from './paint.ts';
import { titleOf } from './text.ts';
import { type Group, legendOf, type WorldView } from './view.ts';

/** The map as an SVG document that stands alone: pointing at a country shows its name and its answer. */
export function mapSvg(map: WorldMap, view: WorldView, paints: ReadonlyMap<Group, Paint>): string {
  const { width } = map;
  const legendTop = map.height + 28;
  const height = legendTop + (view.groups.length + view.notes.length) * lineHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="14">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<title>${escaped(titleOf(view))}</title>`,
    `<g stroke="#ffffff" stroke-width="0.5">`,
    `<path d="${map.land}" fill="#dddddd"/>`,
    ...view.groups.flatMap((group) =>
      group.countries.map((code) => countrySvg(map, code, group, paints.get(group) ?? neutral)),
    ),
    '</g>',
    `<text x="12" y="${map.height + 12}" font-weight="bold">${escaped(titleOf(view))}</text>`,
    ...view.groups.map((group, index) =>
      legendSvg(group, paints.get(group) ?? neutral, legendTop + index * lineHeight),
    ),
    ...view.notes.map(
      (text, index) =>
        `<text x="12" y="${legendTop + (view.groups.length + index) * lineHeight + 12}">${escaped(text)}</text>`,
    ),
    '</svg>',
    '',
  ].join('\n');
}

const lineHeight = 20;

function countrySvg(map: WorldMap, code: string, { label }: Group, { colour }: Paint): string {
  const title = `<title>${escaped(`${countryOf(code)?.name ?? code}: ${label}`)}</title>`;
  const [path, point] = [map.outlines.get(code), map.points.get(code)];
  if (path !== undefined) return `<path id="${code}" d="${path}" fill="${colour}">${title}</path>`;
  if (point === undefined) return '';
  return `<circle id="${code}" cx="${point[0]}" cy="${point[1]}" r="2.5" fill="${colour}">${title}</circle>`;
}

function legendSvg(group: Group, { colour }: Paint, y: number): string {
  const text = escaped(legendOf(group));
  return `<rect x="12" y="${y}" width="14" height="14" fill="${colour}"/><text x="32" y="${y + 12}">${text}</text>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
