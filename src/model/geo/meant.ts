import { mostSimilar } from '../spec/similar.ts';
import { type Country, countries, countryOf } from './countries.ts';
import { type State, states } from './states.ts';

/** Wrong codes that people often write, with the right code. */
const commonMistakes: Readonly<Record<string, string>> = {
  UK: 'GB',
  EL: 'GR',
  EN: 'GB',
  SP: 'ES',
  JA: 'JP',
  KO: 'KR',
  UN: 'US',
};

/** What to do about a text that is no code of a country. */
export function countryFix(text: string): string {
  const meant = countryMeant(text);
  return meant === undefined
    ? 'give an ISO 3166-1 alpha-2 code, e.g. FR'
    : `did you mean "${meant.code}" (${meant.name})?`;
}

/** What to do about a text that is no code of a country or state. */
export function placeFix(text: string): string {
  const [country = '', part = ''] = text.toUpperCase().split('-');
  const territory = country === 'US' && territories.includes(part) ? countryOf(part) : undefined;
  if (territory !== undefined) return `name the country "${territory.code}" (${territory.name})`;
  const state = countryMeant(text) === undefined ? stateMeant(text) : undefined;
  if (state !== undefined) return `did you mean "${state.code}" (${state.name})?`;
  const whole = part === '' ? undefined : countryOf(country);
  return whole === undefined ? countryFix(text) : `name the whole country, "${whole.code}" (${whole.name})`;
}

/** Parts of the US that have codes of countries. */
const territories: readonly string[] = ['AS', 'GU', 'MP', 'PR', 'UM', 'VI'];

/** The state that a person most likely meant by a text: its name, also after the code of the country. */
function stateMeant(text: string): State | undefined {
  const name = text.replace(/^US-/i, '');
  if (name.length < 4) return undefined;
  const similar = mostSimilar(
    name,
    states.map((state) => state.name),
  );
  return states.find((state) => state.name === similar);
}

/** The country that a person most likely meant by a text that is no code: a frequent mistake, or its English name. */
export function countryMeant(text: string): Country | undefined {
  const mistaken = commonMistakes[text.toUpperCase()];
  if (mistaken !== undefined) return countryOf(mistaken);
  // Among so many names one of two or three letters is near to anything.
  const name =
    text.length < 4
      ? undefined
      : mostSimilar(
          text,
          countries.map((country) => country.name),
        );
  return countries.find((country) => country.name === name);
}
