import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { measureTls } from './credentials.ts';

it('exports no end of a certificate where there is none: 0 would be one that ended in 1970, and wake somebody', async () => {
  const registry = new Registry();
  measureTls(registry, () => undefined);
  for (let scrape = 0; scrape < 2; scrape += 1) {
    const text = await registry.metrics();
    expect(text).not.toMatch(/^tideline_endpoint_certificate_end_timestamp_seconds/m);
    expect(text).toMatch(/^tideline_endpoint_certificate_files_unusable 0$/m);
  }
});
