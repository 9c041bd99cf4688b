import { type Point, ringsOf, type WorldMap } from './world.ts';

/** Which country is in each cell of a grid, row by row; undefined for the sea and for land of no country. */
export type Raster = readonly (readonly (string | undefined)[])[];

/**
 * Lays a grid over the map. A country that covers no middle of a cell has the cell where it lies when that would be sea, so that small
 * islands are seen.
 */
export function rasterOf(map: WorldMap, columns: number, rows: number): Raster {
  const grid = Array.from({ length: rows }, () => Array.from({ length: columns }, (): string | undefined => undefined));
  const [cellWidth, cellHeight] = [map.width / columns, map.height / rows];
  const unseen: (readonly [code: string, at: Point])[] = [...map.points];
  for (const [code, path] of map.outlines) {
    const rings = ringsOf(path);
    let seen = false;
    for (const [row, cells] of grid.entries())
      for (const [from, to] of spansAt(rings, (row + 0.5) * cellHeight))
        for (let column = Math.ceil(from / cellWidth - 0.5); (column + 0.5) * cellWidth < to; column++) {
          cells[column] = code;
          seen = true;
        }
    const first = rings[0]?.[0];
    if (!seen && first !== undefined) unseen.push([code, first]);
  }
  for (const [code, [x, y]] of unseen) {
    const cells = grid[Math.min(rows - 1, Math.floor(y / cellHeight))];
    const column = Math.min(columns - 1, Math.floor(x / cellWidth));
    if (cells !== undefined) cells[column] ??= code;
  }
  return grid;
}

/** Where a horizontal line runs inside of rings, by the even-odd rule. */
function spansAt(rings: readonly (readonly Point[])[], y: number): readonly (readonly [from: number, to: number])[] {
  const crossings = rings.flatMap((ring) => crossingsOf(ring, y)).sort((a, b) => a - b);
  return crossings.flatMap((from, index) => (index % 2 === 0 ? [[from, crossings[index + 1] ?? from] as const] : []));
}

function crossingsOf(ring: readonly Point[], y: number): readonly number[] {
  return ring.flatMap(([x1, y1], index) => {
    const [x2, y2] = ring[(index + 1) % ring.length] ?? [x1, y1];
    return y1 <= y === y2 <= y ? [] : [x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)];
  });
}
