import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('says of a program that it has written nothing, beside those that have', () => {
  const state = mkdtempSync(join(tmpdir(), 'tideline-logs-'));
  try {
    mkdirSync(join(state, 'logs'));
    writeFileSync(join(state, 'logs', 'dns-recursor.log'), '');
    writeFileSync(join(state, 'logs', 'dns-powerdns.log'), 'ready\n');
    const logs = (name: string) =>
      spawnSync('bin/tideline', ['lab', 'logs', name, '--state', state], { encoding: 'utf8' }).stdout;
    expect(logs('dns-recursor')).toBe('dns-recursor has written nothing\n');
    expect(logs('dns')).toBe('dns-recursor has written nothing\ndns-powerdns: ready\n');
  } finally {
    rmSync(state, { recursive: true });
  }
});
