import { mostSimilar } from '../spec/similar.ts';
import { type Country, countries, countryOf } from './countries.ts';

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
