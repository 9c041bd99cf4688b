import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { findBinaries, sources, sourcesKey } from '../../lab/control-plane/binaries.ts';

const run = promisify(execFile);

describe('make kubernetes', () => {
  test('every program tells the version that go.mod names', async () => {
    const { folder, kubectl, kwok, versions } = await findBinaries(process.env);
    const modules = await readFile(join(sources, 'go.mod'), 'utf8');
    expect(modules).toContain(`k8s.io/kubernetes ${versions.kubernetes}`);
    for (const name of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler']) {
      const { stdout } = await run(join(folder, name), ['--version']);
      expect(stdout).toBe(`Kubernetes ${versions.kubernetes}\n`);
    }
    const client = JSON.parse((await run(kubectl, ['version', '--client', '-o', 'json'])).stdout) as object;
    const [major, minor] = versions.kubernetes.slice(1).split('.');
    expect(client).toMatchObject({ clientVersion: { gitVersion: versions.kubernetes, major, minor } });
    expect((await run(join(folder, 'etcd'), ['--version'])).stdout).toContain(
      `etcd Version: ${versions.etcd.slice(1)}\n`,
    );
    expect((await run(kwok, ['--version'])).stdout).toContain(versions.kwok.slice(1));
  });

  test('the file without a name says which names it has', async () => {
    const { folder } = await findBinaries(process.env);
    await expect(run(join(folder, 'control-plane'))).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'etcd, etcdutl, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl',
      ),
    });
  });

  test('again does nothing and says nothing', async () => {
    const { versions } = await findBinaries(process.env);
    const { stdout, stderr } = await run(process.execPath, [join(sources, 'build.ts')]);
    expect([stdout, stderr.replaceAll(/.*ExperimentalWarning.*\n|.*--trace-warnings.*\n/g, '')]).toEqual(['', '']);
    expect((await findBinaries(process.env)).versions).toEqual(versions);
  });

  test('another input is another key', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tideline-sources-'));
    try {
      await cp(sources, folder, { recursive: true });
      expect(await sourcesKey(folder)).toBe(await sourcesKey());
      await writeFile(join(folder, 'calico-ipam', 'show.go'), '\n', { flag: 'a' });
      expect(await sourcesKey(folder)).not.toBe(await sourcesKey());
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('nothing built is an error that says what to run', async () => {
    const nowhere = join(tmpdir(), 'tideline-no-such-cache');
    await expect(findBinaries({ XDG_CACHE_HOME: nowhere })).rejects.toThrow('run: make kubernetes');
  });
});
