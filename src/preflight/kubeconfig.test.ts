import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { InputError } from '../model/problem.ts';
import { readTarget } from './kubeconfig.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-kubeconfig-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const good = {
  'current-context': 'paris',
  contexts: [
    { name: 'paris', context: { cluster: 'paris', user: 'ops' } },
    { name: 'lost', context: { cluster: 'nowhere', user: 'ops' } },
  ],
  clusters: [{ name: 'paris', cluster: { server: 'https://[fd00::5]:6443/', 'certificate-authority': 'ca.crt' } }],
  users: [{ name: 'ops', user: { token: 'secret' } }],
};

async function read(content: object | string, context?: string) {
  const file = join(folder, 'kubeconfig');
  await writeFile(file, typeof content === 'string' ? content : stringify(content));
  return readTarget(file, context);
}

describe('a kubeconfig', () => {
  it('leads to a server, with files beside it, and its secrets stay out', async () => {
    await writeFile(join(folder, 'ca.crt'), 'PEM');
    const target = await read(good);
    expect(target).toMatchObject({
      server: 'https://[fd00::5]:6443',
      host: 'fd00::5',
      port: 6443,
      user: 'ops',
      authority: 'PEM',
    });
    expect(JSON.stringify(target)).not.toContain('secret');
  });

  it('may leave out the port, and name another name to verify', async () => {
    const cluster = {
      server: 'https://api.example',
      'tls-server-name': 'kubernetes',
      'insecure-skip-tls-verify': true,
    };
    const target = await read({ ...good, clusters: [{ name: 'paris', cluster }] });
    expect(target).toMatchObject({ host: 'api.example', port: 443, serverName: 'kubernetes', insecure: true });
  });

  it.each([
    ['unknown context', good, 'nix', 'no context "nix" (there are: paris, lost)'],
    ['no current-context', { ...good, 'current-context': '' }, undefined, 'no current-context'],
    ['missing cluster', good, 'lost', 'names the cluster "nowhere", which is not there'],
    [
      'plain http',
      { ...good, clusters: [{ name: 'paris', cluster: { server: 'http://x' } }] },
      undefined,
      'is not an https:// address',
    ],
    [
      'missing file',
      { ...good, clusters: [{ name: 'paris', cluster: { server: 'https://x', 'certificate-authority': 'no.crt' } }] },
      undefined,
      'no.crt cannot be read (ENOENT)',
    ],
    ['no kubeconfig', { clusters: 'x' }, undefined, 'not a kubeconfig'],
    ['no YAML', 'a: [', undefined, 'not YAML'],
    [
      'bad certificate',
      { ...good, users: [{ name: 'ops', user: { 'client-certificate-data': 'eA==' } }] },
      undefined,
      'the client certificate is not one',
    ],
  ] as const)('%s is bad input', async (_, content, context, message) => {
    const error = await read(content, context).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    expect(String(error)).toContain(message);
  });
});
