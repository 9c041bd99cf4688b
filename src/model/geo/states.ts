/** A part of a country that answers can be given for by itself. */
export interface State {
  /** ISO 3166-2: `US-CA`. */
  readonly code: string;
  readonly name: string;
  /** Its share, 0..1, of the country's population. */
  readonly share: number;
}

/**
 * The 50 states of the US and the District of Columbia, the only parts of countries that Route 53 tells apart (GeoLocation in its API
 * reference). Puerto Rico and the other territories are countries there. The populations are those of the census of 2020.
 */
const table: readonly (readonly [code: string, name: string, population: number])[] = [
  ['AK', 'Alaska', 733_391],
  ['AL', 'Alabama', 5_024_279],
  ['AR', 'Arkansas', 3_011_524],
  ['AZ', 'Arizona', 7_151_502],
  ['CA', 'California', 39_538_223],
  ['CO', 'Colorado', 5_773_714],
  ['CT', 'Connecticut', 3_605_944],
  ['DC', 'District of Columbia', 689_545],
  ['DE', 'Delaware', 989_948],
  ['FL', 'Florida', 21_538_187],
  ['GA', 'Georgia', 10_711_908],
  ['HI', 'Hawaii', 1_455_271],
  ['IA', 'Iowa', 3_190_369],
  ['ID', 'Idaho', 1_839_106],
  ['IL', 'Illinois', 12_812_508],
  ['IN', 'Indiana', 6_785_528],
  ['KS', 'Kansas', 2_937_880],
  ['KY', 'Kentucky', 4_505_836],
  ['LA', 'Louisiana', 4_657_757],
  ['MA', 'Massachusetts', 7_029_917],
  ['MD', 'Maryland', 6_177_224],
  ['ME', 'Maine', 1_362_359],
  ['MI', 'Michigan', 10_077_331],
  ['MN', 'Minnesota', 5_706_494],
  ['MO', 'Missouri', 6_154_913],
  ['MS', 'Mississippi', 2_961_279],
  ['MT', 'Montana', 1_084_225],
  ['NC', 'North Carolina', 10_439_388],
  ['ND', 'North Dakota', 779_094],
  ['NE', 'Nebraska', 1_961_504],
  ['NH', 'New Hampshire', 1_377_529],
  ['NJ', 'New Jersey', 9_288_994],
  ['NM', 'New Mexico', 2_117_522],
  ['NV', 'Nevada', 3_104_614],
  ['NY', 'New York', 20_201_249],
  ['OH', 'Ohio', 11_799_448],
  ['OK', 'Oklahoma', 3_959_353],
  ['OR', 'Oregon', 4_237_256],
  ['PA', 'Pennsylvania', 13_002_700],
  ['RI', 'Rhode Island', 1_097_379],
  ['SC', 'South Carolina', 5_118_425],
  ['SD', 'South Dakota', 886_667],
  ['TN', 'Tennessee', 6_910_840],
  ['TX', 'Texas', 29_145_505],
  ['UT', 'Utah', 3_271_616],
  ['VA', 'Virginia', 8_631_393],
  ['VT', 'Vermont', 643_077],
  ['WA', 'Washington', 7_705_281],
  ['WI', 'Wisconsin', 5_893_718],
  ['WV', 'West Virginia', 1_793_716],
  ['WY', 'Wyoming', 576_851],
];

const population = table.reduce((sum, [, , people]) => sum + people, 0);

/** Every state, sorted by code. */
export const states: readonly State[] = table.map(([code, name, people]) => ({
  code: `US-${code}`,
  name,
  share: people / population,
}));

const byCode: ReadonlyMap<string, State> = new Map(states.map((state) => [state.code, state]));

/** The state, or undefined when answers can be given for no such part of a country. */
export function stateOf(code: string): State | undefined {
  return byCode.get(code);
}

/** The country of a place: `US` of `US-CA`, and a country itself. */
export function countryOfPlace(code: string): string {
  return stateOf(code) === undefined ? code : code.slice(0, 2);
}
