import { expect, it } from 'vitest';
import { countries } from '../../model/geo/countries.ts';
import { rasterOf } from './raster.ts';
import { ringsOf, worldMap } from './world.ts';

const map = await worldMap();

it('has a place for every country but Antarctica, inside of the map', () => {
  const placed = [...map.outlines.keys(), ...map.points.keys()].toSorted();
  expect(placed).toEqual(countries.map(({ code }) => code).filter((code) => code !== 'AQ'));
  const points = [...map.points.values(), ...[...map.outlines.values()].flatMap((path) => ringsOf(path).flat())];
  expect(points.every(([x, y]) => x >= 0 && x <= map.width && y >= 0 && y <= map.height)).toBe(true);
});

it('has the countries where they are', () => {
  const raster = rasterOf(map, 200, 88);
  // Row and column of Bourges, Brasília, Dubbo, Kaduna, French Guiana, Svalbard and a place in the Pacific.
  const cells = [
    [20, 101],
    [61, 73],
    [71, 178],
    [44, 104],
    [48, 70],
    [3, 106],
    [51, 22],
  ] as const;
  expect(cells.map(([row, column]) => raster[row]?.[column])).toEqual(['FR', 'BR', 'AU', 'NG', 'GF', 'SJ', undefined]);
});

it('shows a country of any size on a fine grid, and islands on a coarse one', () => {
  const fine = new Set(rasterOf(map, 1000, 440).flat());
  expect([...map.outlines.keys()].filter((code) => !fine.has(code))).toEqual([]);
  const coarse = new Set(rasterOf(map, 80, 18).flat());
  expect(['FR', 'US', 'NZ', 'MU', 'MT', 'PF', 'IS'].filter((code) => !coarse.has(code))).toEqual([]);
});
