import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type GeoPath, type GeoPermissibleObjects, geoBounds, geoNaturalEarth1, geoPath } from 'd3-geo';
import type { Feature, MultiPolygon, Polygon } from 'geojson';
import iso from 'i18n-iso-countries';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import { countries } from '../../src/model/geo/countries.ts';

/**
 * The outlines of countries for maps, from Natural Earth (public domain) as world-atlas packs it: shapes at 1:110 million, and a point for
 * each country that is too small for them, at 1:50 million. Antarctica is left out.
 */
export function outlinesFile(): string {
  const projection = geoNaturalEarth1().fitExtent(
    [
      [0, -top],
      [width, projectedHeight - top],
    ],
    { type: 'Sphere' },
  );
  const path = geoPath(projection).digits(0);
  const [coarse, fine] = [shapesOf('110m'), shapesOf('50m')];
  const outlines = new Map<string, string>();
  const points = new Map<string, string>();
  for (const { code } of countries) {
    const [shape, small] = [coarse.get(code), fine.get(code)];
    if (code === 'AQ') continue;
    if (shape !== undefined) outlines.set(code, path(shape) ?? '');
    else
      points.set(
        code,
        pointText(code in places || small === undefined ? projection(placeOf(code)) : path.centroid(small)),
      );
  }
  const land = path(coarse.get('EH') as GeoPermissibleObjects) ?? '';
  const text = { width, height, outlines: Object.fromEntries(outlines), points: Object.fromEntries(points), land };
  return `${JSON.stringify(text, undefined, 2)}\n`;
}

/** In units of the map; the projection draws the whole globe `projectedHeight` high, and the map shows a part of that. */
const width = 1000;
const projectedHeight = 520;
const top = 4;
const height = 440;

type Shape = Feature<Polygon | MultiPolygon>;

/** What Natural Earth shows as parts of another country: the parts whose longitudes and latitudes lie in the box. */
const parts: readonly { readonly of: string; readonly code: string; readonly box: Box }[] = [
  { of: 'FR', code: 'GF', box: [-56, 1, -50, 7] },
  { of: 'FR', code: 'GP', box: [-62.5, 15.7, -60.9, 17] },
  { of: 'FR', code: 'MQ', box: [-61.5, 14, -60.5, 15.2] },
  { of: 'FR', code: 'RE', box: [54, -22, 57, -20] },
  { of: 'FR', code: 'YT', box: [44, -14, 46, -12] },
  { of: 'NO', code: 'SJ', box: [-10, 70.5, 35, 82] },
];
type Box = readonly [west: number, south: number, east: number, north: number];

/** Longitude and latitude of what Natural Earth does not show at 1:50 million, or on both sides of the edge of the map. */
const places: Readonly<Record<string, [number, number]>> = {
  BQ: [-68.3, 12.2],
  CC: [96.8, -12.2],
  GI: [-5.35, 36.1],
  TK: [-171.8, -9.2],
  TV: [179.2, -8.5],
  UM: [166.6, 19.3],
  IO: [72.4, -7.3],
  KI: [173, 1.4],
};

function placeOf(code: string): [number, number] {
  const place = places[code];
  if (place === undefined) throw new Error(`nobody says where ${code} is: add it to places`);
  return place;
}

function shapesOf(scale: '110m' | '50m'): ReadonlyMap<string, Shape> {
  const file = fileURLToPath(import.meta.resolve(`world-atlas/countries-${scale}.json`));
  const topology = JSON.parse(readFileSync(file, 'utf8')) as Topology<{
    countries: GeometryCollection<{ name: string }>;
  }>;
  const shapes = new Map<string, Shape>();
  for (const one of feature(topology, topology.objects.countries).features as (Shape & Named)[]) {
    const code = codeOf(one);
    if (code === undefined) continue;
    for (const [owner, shape] of divided(code, one)) shapes.set(owner, joined(shapes.get(owner), shape));
  }
  return shapes;
}

interface Named {
  readonly id?: string | number;
  readonly properties: { readonly name: string };
}

/** Areas without a number of their own. */
const byName: Readonly<Record<string, string>> = { Kosovo: 'XK', Somaliland: 'SO', 'N. Cyprus': 'CY' };

function codeOf({ id, properties }: Named): string | undefined {
  return id === undefined ? byName[properties.name] : iso.numericToAlpha2(id);
}

/** The shape of a country without the parts that have a code of their own, and those. */
function divided(code: string, shape: Shape): ReadonlyMap<string, Shape> {
  const polygons = polygonsOf(shape);
  const owners = polygons.map((polygon) => {
    const [[west, south], [east, north]] = geoBounds({ type: 'Polygon', coordinates: polygon });
    const part = parts.find(
      ({ of, box }) => of === code && west > box[0] && south > box[1] && east < box[2] && north < box[3],
    );
    return part?.code ?? code;
  });
  const byOwner = Map.groupBy(polygons, (polygon) => owners[polygons.indexOf(polygon)] ?? code);
  return new Map([...byOwner].map(([owner, coordinates]) => [owner, multi(coordinates)]));
}

function joined(before: Shape | undefined, shape: Shape): Shape {
  return before === undefined ? shape : multi([...polygonsOf(before), ...polygonsOf(shape)]);
}

function multi(coordinates: MultiPolygon['coordinates']): Shape {
  return { type: 'Feature', properties: {}, geometry: { type: 'MultiPolygon', coordinates } };
}

function polygonsOf({ geometry }: Shape): MultiPolygon['coordinates'] {
  return geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
}

function pointText(point: ReturnType<GeoPath['centroid']> | null): string {
  if (point === null) throw new Error('a place is not on the map');
  return point.map((value) => Math.round(value)).join();
}
