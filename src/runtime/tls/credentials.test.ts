import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../../../test/support/authority.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { type TlsFolder, tlsFolder } from '../../../test/support/tls-files.ts';
import type { Log } from '../log.ts';
import { createRegistry, type Registry } from '../metrics.ts';
import { measureTls, TlsCredentials } from './credentials.ts';

const authority = createAuthority('the platform');
const day = 86_400;
const issue = (validSeconds: number) => authority.issue({ commonName: 'b1', hosts: ['b1'], validSeconds });

let folder: TlsFolder;
let clock: FakeClock;
let lines: string[];
let registry: Registry;
let credentials: TlsCredentials;

beforeEach(() => {
  folder = tlsFolder(authority, { commonName: 'b1', hosts: ['b1'], validSeconds: 60 * day });
  clock = new FakeClock(Date.now());
  lines = [];
  registry = createRegistry('test');
  const say = (level: string) => (fields: { readonly reason?: string }, message: string) =>
    void lines.push(`${level}: ${message}${fields.reason === undefined ? '' : ` (${fields.reason})`}`);
  const log = { info: say('info'), warn: say('warn'), error: say('error') } as unknown as Log;
  credentials = new TlsCredentials({ files: folder.files, clock, log });
  measureTls(registry, () => credentials);
});
afterEach(() => {
  credentials.stop();
  folder.remove();
});

/** Moves the clock on by one look at the files, and waits until it is over. */
async function look(): Promise<void> {
  await eventually('the look before is over', () => clock.pending > 0, { timeoutMs: 5000, everyMs: 5 });
  await clock.advance(5000);
  await eventually('this look is over', () => clock.pending > 0, { timeoutMs: 5000, everyMs: 5 });
}

it('takes a new certificate while it runs', async () => {
  await credentials.start();
  const next = issue(90 * day);
  folder.write('cert', next.certificate);
  folder.write('key', next.key);
  await look();
  expect(credentials.current()?.cert).toBe(next.certificate);
  expect(lines).toEqual(['info: certificate read', 'info: a new certificate or CA is in use']);
  const end = Math.floor((credentials.certificate()?.endsAtMs ?? 0) / 1000);
  expect(await registry.metrics()).toContain(
    `tideline_endpoint_certificate_end_timestamp_seconds{component="test"} ${end}`,
  );
});

it('takes a new CA while it runs, also one beside the old one', async () => {
  await credentials.start();
  folder.write('ca', `${authority.certificate}${createAuthority('next').certificate}`);
  await look();
  expect(lines.at(-1)).toBe('info: a new certificate or CA is in use');
});

describe('what cannot be used changes nothing, and is told', () => {
  it.each([
    ['a certificate without its key', 'cert', issue(day).certificate, 'is not the key of'],
    ['half a certificate', 'cert', authority.certificate.slice(0, 200), 'holds no certificate'],
    ['a key that is none', 'key', 'none', 'holds no private key'],
    ['an empty CA file, which to Node means every public CA', 'ca', '', 'holds no certificate: it holds none'],
    ['a CA that is none', 'ca', issue(day).certificate, 'is not that of a CA'],
  ] as const)('%s', async (_, which, text, problem) => {
    await credentials.start();
    const before = credentials.current();
    folder.write(which, text);
    await look();
    // Whoever replaces three files has them differ for a moment.
    expect(credentials.problem()).toBeUndefined();
    await look();
    expect(credentials.current()).toBe(before);
    expect(credentials.problem()?.message).toContain(problem);
    expect(lines.slice(1)).toEqual(['error: the certificate files cannot be used (TlsFilesUnusable)']);
    expect(await registry.metrics()).toContain('tideline_endpoint_certificate_files_unusable{component="test"} 1');
  });

  it('until it can be used again', async () => {
    folder.write('key', 'none');
    await credentials.start();
    expect([credentials.current(), credentials.problem()?.reason]).toEqual([undefined, 'TlsFilesUnusable']);
    const next = issue(day);
    folder.write('cert', next.certificate);
    folder.write('key', next.key);
    await look();
    expect([credentials.current()?.cert, credentials.problem()]).toEqual([next.certificate, undefined]);
  });
});

it('never tells a key, whatever is wrong with it', async () => {
  const { key } = issue(day);
  folder.write('key', key.replace('PRIVATE KEY', 'PRIVATE KAY'));
  await credentials.start();
  const body = key.split('\n')[1]!;
  expect(credentials.problem()?.message).toContain('holds no private key');
  expect(credentials.problem()?.message).not.toContain(body);
});

it('announces the end of the certificate 30, 7 and 1 days ahead, and goes on when it has ended', async () => {
  await credentials.start();
  for (const days of [31, 23, 6.5, 2]) {
    await clock.advance(days * day * 1000);
    await look();
  }
  expect(lines.slice(1)).toEqual([
    'info: our certificate for other agents ends within 30 days (CertificateEndsSoon)',
    'warn: our certificate for other agents ends within 7 days (CertificateEndsSoon)',
    'error: our certificate for other agents ends within 1 days (CertificateEndsSoon)',
  ]);
  expect(credentials.certificate()).toMatchObject({ endsWithinDays: 1, reason: 'CertificateEndsSoon' });
  expect(credentials.current()).toBeDefined();
});
