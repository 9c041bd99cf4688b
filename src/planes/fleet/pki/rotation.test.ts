import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fleetPlatform } from '../../../../test/support/fleet.ts';
import { compileFleet } from '../compile/compile.ts';
import { changeAuthority, createAuthority, openAuthorities } from './authorities.ts';
import type { Phase } from './rotation.ts';
import { changeSecrets, provideSecrets } from './secrets-folder.ts';

const nowMs = Date.parse('2026-06-01T00:00:00Z');
const passphrase = 'a passphrase of some length';
let safe: string;
beforeEach(() => {
  safe = mkdtempSync(join(tmpdir(), 'tideline-rotation-'));
});
afterEach(() => {
  rmSync(safe, { recursive: true });
});

const change = (phase: Phase, write = true) => changeAuthority(safe, 'paris/etcd', passphrase, { phase, nowMs, write });
/** Common names: who signs, and all that are trusted. */
async function authority(): Promise<readonly [string, readonly string[]]> {
  const opened = (await openAuthorities(safe, ['paris/etcd'], passphrase, nowMs)).get('paris/etcd');
  const pems = (opened?.trusted ?? '').split(/(?=-----BEGIN)/).filter((pem) => pem !== '');
  const name = (pem: string) => new X509Certificate(pem).subject.replace('CN=', '');
  return [opened?.issuer.name.commonName ?? '', pems.map(name)];
}

test('an authority is trusted, then signs, then is alone; a phase that is done again changes nothing', async () => {
  await createAuthority(safe, 'paris/etcd', passphrase, nowMs);
  expect(await change('introduce')).toEqual(['etcd', 'etcd-2']);
  expect(await authority()).toEqual(['paris/etcd', ['paris/etcd', 'paris/etcd-2']]);
  const key = readFileSync(join(safe, 'paris/etcd-2.key'), 'utf8');
  await change('introduce');
  expect(readFileSync(join(safe, 'paris/etcd-2.key'), 'utf8')).toBe(key);
  for (let times = 0; times < 2; times += 1) {
    expect(await change('promote')).toEqual(['etcd-2', 'etcd']);
    expect(await authority()).toEqual(['paris/etcd-2', ['paris/etcd-2', 'paris/etcd']]);
  }
  for (let times = 0; times < 2; times += 1) {
    expect(await change('drop')).toEqual(['etcd-2']);
    expect(await authority()).toEqual(['paris/etcd-2', ['paris/etcd-2']]);
    expect(readdirSync(join(safe, 'paris')).sort()).toEqual(['etcd-2.crt', 'etcd-2.key', 'etcd.json']);
  }
  expect(await change('introduce')).toEqual(['etcd-2', 'etcd-3']);
  await expect(createAuthority(safe, 'paris/etcd', passphrase, nowMs)).rejects.toThrow('AuthorityExists');
});

test('no phase is left out, and what is only shown changes nothing', async () => {
  await expect(change('introduce')).rejects.toThrow(/there is no authority paris\/etcd here/);
  await createAuthority(safe, 'paris/etcd', passphrase, nowMs);
  const before = readdirSync(join(safe, 'paris'));
  await expect(change('promote')).rejects.toThrow(/RotationOrder/);
  expect(await change('introduce', false)).toEqual(['etcd', 'etcd-2']);
  expect(readdirSync(join(safe, 'paris'))).toEqual(before);
  await change('introduce');
  await expect(change('drop')).rejects.toThrow(/go through the phase promote first/);
});

test.each(['encryption', 'service-accounts'] as const)('the key of %s goes the same way', async (of) => {
  const { documents } = compileFleet(fleetPlatform(), {});
  const out = join(safe, 'out');
  const written = async (): Promise<Record<string, string>> => {
    await provideSecrets({ safe, out, passphrase, documents, create: true, write: true });
    return JSON.parse(readFileSync(join(out, 'secrets/site0-control0.json'), 'utf8'));
  };
  const go = (phase: Phase) => changeSecrets(safe, 'site0', passphrase, { of, phase, write: true });
  const before = await written();
  expect(await go('introduce')).toEqual(['key-1', 'key-2']);
  const introduced = await written();
  expect(await go('promote')).toEqual(['key-2', 'key-1']);
  expect(await go('promote')).toEqual(['key-2', 'key-1']);
  const promoted = await written();
  expect(await go('drop')).toEqual(['key-2']);
  const dropped = await written();
  const count = (texts: Record<string, string>, what: RegExp) => Object.values(texts).join().match(what)?.length;
  const keys = of === 'encryption' ? /"secret":/g : /BEGIN PUBLIC KEY/g;
  expect([before, introduced, promoted, dropped].map((texts) => count(texts, keys))).toEqual([1, 2, 2, 1]);
  const signing = 'site0/service-accounts';
  expect(introduced[signing]).toBe(before[signing]);
  expect(promoted[signing] === before[signing]).toBe(of === 'encryption');
  expect(dropped[signing]).toBe(promoted[signing]);
});
