import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A map of the world: the outlines of countries, from Natural Earth in the projection of the same name, as `tools/world` writes them.
 * Coordinates are whole units of the map, from its upper left corner.
 */
export interface WorldMap {
  readonly width: number;
  readonly height: number;
  /** SVG path data (`M12,34L13,35Z`, absolute) of the countries that are large enough, by code. */
  readonly outlines: ReadonlyMap<string, string>;
  /** Where the smaller ones are. Antarctica is in neither. */
  readonly points: ReadonlyMap<string, Point>;
  /** The outline of land without a country that answers can be given for. */
  readonly land: string;
}

export type Point = readonly [x: number, y: number];

let read: Promise<WorldMap> | undefined;

/** The map; its file, of 80 kB, is read on first use. */
export function worldMap(): Promise<WorldMap> {
  read ??= readFile(join(import.meta.dirname, 'outlines.json'), 'utf8').then(parse);
  return read;
}

interface File {
  readonly width: number;
  readonly height: number;
  readonly outlines: Readonly<Record<string, string>>;
  readonly points: Readonly<Record<string, string>>;
  readonly land: string;
}

function parse(text: string): WorldMap {
  const { width, height, outlines, points, land } = JSON.parse(text) as File;
  const placed = Object.entries(points).map(([code, at]) => [code, pointOf(at)] as const);
  return { width, height, outlines: new Map(Object.entries(outlines)), points: new Map(placed), land };
}

/** The rings of a path, each a list of points. */
export function ringsOf(path: string): readonly (readonly Point[])[] {
  return path
    .split('M')
    .slice(1)
    .map((ring) => ring.replace('Z', '').split('L').map(pointOf));
}

function pointOf(text: string): Point {
  const [x = 0, y = 0] = text.split(',').map(Number);
  return [x, y];
}
