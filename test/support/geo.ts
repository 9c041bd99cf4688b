import { labStateOf } from '../../lab/geo/states.ts';
import { clientAddress, prefixesOf } from '../../src/geo/prefixes.ts';
import { states } from '../../src/model/geo/states.ts';

const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index));

/** Every two-letter code for which the IP-to-country data has at least one prefix, sorted. */
export function countriesWithPrefixes(): readonly string[] {
  return letters
    .flatMap((first) => letters.map((second) => `${first}${second}`))
    .filter((code) => prefixesOf(code).length > 0);
}

/** An address of the lab's n-th client of a country, or of a state. Of a country with states it is one whose state is not known. */
export function labClient(place: string, n: number): string {
  const state = states.find(({ code }) => code === place);
  if (state === undefined && place !== 'US') return clientAddress(place, n);
  for (let [at, found] = [0, -1]; ; at += 1) {
    const address = clientAddress('US', at);
    if (labStateOf(address) === state?.code) found += 1;
    if (found === n) return address;
  }
}
