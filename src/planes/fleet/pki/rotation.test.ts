import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fleetPlatform } from '../../../../test/support/fleet.ts';
import { compileFleet } from '../compile/compile.ts';
import { writeFolder } from '../folder.ts';
import { markApplied } from '../run/applied.ts';
import { changeAuthority, createAuthority, openAuthorities } from './authorities.ts';
import { readBrought } from './brought.ts';
import { withCertificates } from './merge.ts';
import type { Phase } from './rotation.ts';
import { unseal } from './seal.ts';
import { changeSecrets, forgetRetired, provideSecrets } from './secrets-folder.ts';
import { signAll } from './sign.ts';

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

describe('what servers got', () => {
  const compiled = compileFleet(fleetPlatform(), {});
  const { documents: plain, pkiPlan } = compiled;
  beforeEach(async () => {
    await writeFolder(out(), compiled);
  });
  const out = (): string => join(safe, 'out');
  const input = () => ({ safe, out: out(), passphrase, documents: plain, create: true, write: true });
  const bring = async (servers: readonly string[] = [...plain.keys()]) => {
    await markApplied(out(), servers, plain);
  };
  const go = async (of: 'encryption' | 'service-accounts', phase: Phase, cluster = 'site0') =>
    changeSecrets(safe, cluster, passphrase, { of, phase, write: true, brought: await readBrought(out()) });
  const sign = async () => {
    await provideSecrets(input());
    // Files of one moment count as in order: a run is later.
    await new Promise((resolve) => setTimeout(resolve, 20));
  };

  test('no phase of a key is gone through before every server got the one before, and a dropped one stays sealed', async () => {
    await sign();
    await expect(go('encryption', 'introduce')).resolves.toEqual(['key-1', 'key-2']);
    await expect(go('encryption', 'promote')).rejects.toThrow(/site0-control0.*\(RotationEarly\)/);
    await bring();
    await expect(go('encryption', 'promote')).rejects.toThrow(/RotationEarly/);
    await sign();
    await expect(go('encryption', 'promote'), 'signed and not applied').rejects.toThrow(/RotationEarly/);
    await bring(['site0-control0', 'site0-control1']);
    await expect(go('encryption', 'promote')).rejects.toThrow(/site0-control2 did not get/);
    await bring();
    expect(await go('encryption', 'promote')).toEqual(['key-2', 'key-1']);
    expect(await go('encryption', 'promote'), 'done again').toEqual(['key-2', 'key-1']);
    await expect(go('encryption', 'drop')).rejects.toThrow(/RotationEarly/);
    await sign();
    await bring();
    expect(await go('encryption', 'drop')).toEqual(['key-2']);
    const opened = unseal(readFileSync(join(safe, 'site0/secrets.sealed'), 'utf8'), passphrase);
    const { retired, encryption } = JSON.parse('text' in opened ? opened.text : '{}');
    const names = (keys: readonly { name: string }[]) => keys.map(({ name }) => name);
    expect([names(encryption), names(retired)]).toEqual([['key-2'], ['key-1']]);
    expect(await forgetRetired(safe, 'site0', { passphrase, write: false })).toEqual(['key-1']);
    expect(await forgetRetired(safe, 'site0', { passphrase, write: true })).toEqual(['key-1']);
    expect(await forgetRetired(safe, 'site0', { passphrase, write: true }), 'done again').toEqual([]);
    expect(await go('encryption', 'introduce'), 'no name is used twice').toEqual(['key-2', 'key-3']);
  });

  test('a folder that knows no server lets nothing pass', async () => {
    const { documents } = compileFleet(fleetPlatform({ sites: 2 }), {});
    await provideSecrets({ ...input(), documents, out: join(safe, 'other') });
    await go('service-accounts', 'introduce', 'site1');
    await expect(go('service-accounts', 'promote', 'site1')).rejects.toThrow(/no server with .*--servers-have-it/s);
  });

  test('an authority changes when every applied document has it, and certificates of whoever signs', async () => {
    const name = 'site0/etcd';
    const names = [...new Set(Object.values(pkiPlan).flatMap((all) => all.map(({ authority }) => authority)))];
    for (const one of names) await createAuthority(safe, one, passphrase, nowMs);
    const publicKeys = new Map(
      Object.entries(pkiPlan).map(([server, all]) => [
        server,
        Object.fromEntries(all.map(({ key }) => [key, publicKey()])),
      ]),
    );
    const signed = async () => {
      const authorities = await openAuthorities(safe, names, passphrase, nowMs);
      const planned = new Map(Object.entries(pkiPlan));
      const { certificates } = signAll({ planned, publicKeys, present: new Map(), authorities, nowMs });
      const trusted = Object.fromEntries([...authorities].map(([one, opened]) => [one, opened.trusted]));
      return new Map(
        [...plain].map(([id, document]) => [id, withCertificates(document, { certificates, authorities: trusted })]),
      );
    };
    const next = async (phase: Phase) =>
      changeAuthority(safe, name, passphrase, { phase, nowMs, write: true, brought: await readBrought(out()) });
    await markApplied(out(), [...plain.keys()], await signed());
    await next('introduce');
    await expect(next('promote')).rejects.toThrow(/RotationEarly/);
    const introduced = await signed();
    await markApplied(out(), [...plain.keys()], introduced);
    expect(await next('promote')).toEqual(['etcd-2', 'etcd']);
    await expect(next('drop')).rejects.toThrow(/RotationEarly/);
    const promoted = await signed();
    const [id = '', half] =
      [...promoted].find(([, { pki }]) =>
        Object.values(pki.certificates).some(({ authority }) => authority === name),
      ) ?? [];
    if (half === undefined) throw new Error('unreachable');
    const certificates = introduced.get(id)?.pki.certificates ?? {};
    await markApplied(
      out(),
      [...plain.keys()],
      new Map([...promoted, [id, { ...half, pki: { ...half.pki, certificates } }]]),
    );
    await expect(next('drop'), 'trusts, and shows the old one').rejects.toThrow(`${id} did not get`);
    await markApplied(out(), [id], promoted);
    expect(await next('drop')).toEqual(['etcd-2']);
  });
});

const publicKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
