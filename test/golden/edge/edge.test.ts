import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { compile } from '../../../src/planes/edge/compile/compile.ts';
import { edgeReasons } from '../../../src/planes/edge/reasons.ts';
import { createCertificateReader } from '../../../src/planes/edge/tables/certificate.ts';
import { stateFromYaml } from '../../support/cluster-state.ts';
import { platformForTests } from '../../support/edge-platform.ts';
import { poolForTests } from '../../support/edge-pool.ts';

const cases = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const pool = poolForTests();
const platform = platformForTests();

describe('Kubernetes objects → routing table and conditions (UPDATE_GOLDEN=1 writes the expectations anew)', () => {
  test.each(cases.map(({ name }) => name))('%s', (name) => {
    const folder = join(import.meta.dirname, name);
    const state = stateFromYaml(readFileSync(join(folder, 'input.yaml'), 'utf8'));
    const { table, conditions } = compile({
      state,
      platform,
      pool,
      readCertificate: createCertificateReader(),
      nowMs: Date.parse('2026-11-26T00:00:00Z'),
    });
    const certificates = table.certificates.map(({ id, chain }) => ({ id, chain }));
    const actual = stringify(
      { hosts: table.hosts, backends: table.backends, certificates, conditions },
      { lineWidth: 0, aliasDuplicateObjects: false },
    );
    const file = join(folder, 'expected.yaml');
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, actual);
    expect(existsSync(file), `${file} is there`).toBe(true);
    expect(actual).toBe(readFileSync(file, 'utf8'));
    for (const { problems } of conditions)
      for (const { reason } of problems) expect(Object.keys(edgeReasons)).toContain(reason);
  });
});
