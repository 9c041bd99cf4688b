import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/**
 * What is said of GPUs, by the script for a machine without Salt and by the module for one with it, on recorded answers of nvidia-smi: no machine
 * of these tests has a GPU. Programs of NVIDIA are stand-ins that print what was recorded.
 */
const root = resolve(import.meta.dirname, '../..');
let machine: string;
beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), 'tideline-gpu-'));
});
afterEach(() => {
  rmSync(machine, { recursive: true });
});

const h100 = (count: number, driver = '570.133.20', product = 'NVIDIA H100 80GB HBM3') =>
  Array.from({ length: count }, (_, index) => ({
    product,
    driver,
    uuid: `GPU-5d1f8a3e-0000-0000-0000-00000000000${index}`,
  }));
const expected = { count: 8, driver: '570.133.20-1', product: 'NVIDIA H100 80GB HBM3' };
const noDriver =
  "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\n";

function file(path: string, text: string, mode = 0o644): void {
  const whole = join(machine, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, text);
  chmodSync(whole, mode);
}

/** A program that prints a text, whatever it is asked, but for `nvidia-smi` with the columns that it was asked for. */
const program = (name: string, text: string, code = 0) =>
  file(`bin/${name}`, `#!/bin/sh\ncat <<'END'\n${text}END\nexit ${code}\n`, 0o755);
const lines = (gpus: ReturnType<typeof h100>, isWhole: boolean) =>
  gpus.map(({ product, driver, uuid }) => `${product}, ${driver}${isWhole ? `, ${uuid}` : ''}\n`).join('');

const run = (command: string, ...words: readonly string[]) =>
  spawnSync(command, words, { encoding: 'utf8', env: { PATH: `${join(machine, 'bin')}:/usr/bin:/bin` } });

describe('tools/gpu/verify.sh', () => {
  const verify = (...words: readonly string[]) =>
    run('sh', join(root, 'tools/gpu/verify.sh'), '--root', machine, ...words);

  /** A worker on which all formulas were applied. */
  function ready(): void {
    file('proc/driver/nvidia/version', 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.133.20\n');
    file('etc/tideline-gpus.json', `${JSON.stringify(expected, undefined, 2)}\n`);
    file('etc/cdi/nvidia.yaml', 'cdiVersion: 0.5.0\nkind: nvidia.com/gpu\n');
    file('etc/containerd/conf.d/99-nvidia.toml', 'version = 3\n');
    program('nvidia-smi', lines(h100(8), false));
    program('nvidia-ctk', [...h100(8).keys(), 'all'].map((name) => `nvidia.com/gpu=${name}\n`).join(''));
    program('nvidia-container-runtime', '');
  }

  it('says that a machine is ready, by what the document says of it or by options', () => {
    ready();
    const { status, stdout, stderr } = verify();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toEqual([
      'ok: driver, 8 GPUs: NVIDIA H100 80GB HBM3',
      'ok: CDI: /etc/cdi/nvidia.yaml',
      'ok: containerd: runtime nvidia',
      'ready',
    ]);
    rmSync(join(machine, 'etc/tideline-gpus.json'));
    expect(verify().status).toBe(0);
    expect(verify('--count', '4').stderr).toBe('not ready: there are 8 GPUs, and 4 are expected\n');
  });

  it.each<readonly [string, () => void, RegExp]>([
    [
      'no driver in the kernel',
      () => rmSync(join(machine, 'proc'), { recursive: true }),
      /no NVIDIA driver .*modprobe nvidia/,
    ],
    ['no nvidia-smi', () => rmSync(join(machine, 'bin/nvidia-smi')), /no nvidia-smi: install/],
    [
      'a driver that does not answer',
      () => program('nvidia-smi', noDriver, 9),
      /nvidia-smi fails: NVIDIA-SMI has failed/,
    ],
    ['no GPU', () => program('nvidia-smi', 'No devices were found\n', 6), /nvidia-smi fails: No devices were found/],
    ['a GPU less', () => program('nvidia-smi', lines(h100(7), false)), /there are 7 GPUs, and 8 are expected/],
    [
      'another product',
      () => program('nvidia-smi', lines([...h100(7), ...h100(1, '570.133.20', 'NVIDIA A100-SXM4-80GB')], false)),
      /the GPUs are NVIDIA A100-SXM4-80GB;NVIDIA H100 80GB HBM3, and NVIDIA H100 80GB HBM3 is/,
    ],
    ['no toolkit', () => rmSync(join(machine, 'bin/nvidia-ctk')), /no nvidia-ctk: install/],
    [
      'no CDI specification',
      () => rmSync(join(machine, 'etc/cdi'), { recursive: true }),
      /no CDI specification: nvidia-ctk cdi generate/,
    ],
    [
      'an old CDI specification',
      () => program('nvidia-ctk', 'nvidia.com/gpu=all\n'),
      /CDI has 1 devices of nvidia\.com\/gpu, and there are 8/,
    ],
    [
      'no drop-in of containerd',
      () => rmSync(join(machine, 'etc/containerd/conf.d/99-nvidia.toml')),
      /no runtime nvidia .*apply the formula gpu/,
    ],
    ['no runtime', () => rmSync(join(machine, 'bin/nvidia-container-runtime')), /no nvidia-container-runtime/],
  ])('ends with 1 and the reason at %s', (_, change, reason) => {
    ready();
    change();
    const { status, stdout, stderr } = verify();
    expect(status).toBe(1);
    expect(stderr).toMatch(reason);
    expect(stderr).toMatch(/^not ready: /);
    expect(stdout).not.toContain('ready');
  });

  it('refuses an option that it does not have', () => {
    expect(verify('--cont', '8')).toMatchObject({ status: 2, stderr: 'verify.sh: unknown option --cont\n' });
  });
});

describe('tideline_gpu of Salt', () => {
  function called(name: 'check' | 'present'): unknown {
    const script = `
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("tideline_gpu", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.EXPECTED = sys.argv[2] + module.EXPECTED
module.SPECIFICATIONS = tuple(sys.argv[2] + path for path in module.SPECIFICATIONS)
print(json.dumps(getattr(module, sys.argv[3])()))`;
    const path = join(root, 'salt/formulas/_modules/tideline_gpu.py');
    const { stdout, stderr } = run('/usr/bin/python3', '-B', '-c', script, path, machine, name);
    expect(stderr).toBe('');
    return JSON.parse(stdout) as unknown;
  }

  function applied(gpus: string, code = 0): void {
    file('etc/tideline-gpus.json', JSON.stringify(expected));
    file('var/run/cdi/nvidia.yaml', 'cdiVersion: 0.5.0\n');
    program('nvidia-smi', gpus, code);
  }

  it('lists what the driver sees, and finds nothing wrong where the ServerClass says the same', () => {
    applied(lines(h100(8), true));
    expect(called('check')).toEqual([]);
    expect(called('present')).toEqual(h100(8));
  });

  it.each<readonly [string, () => void, RegExp]>([
    [
      'a GPU that fell off the bus',
      () => applied(`${lines(h100(7), true)}[GPU requires reset]\n`),
      /another product: \[GPU requires reset\]/,
    ],
    ['a GPU less', () => applied(lines(h100(7), true)), /sees 7 GPUs, the ServerClass has 8/],
    [
      'a driver of before',
      () => applied(lines(h100(8, '550.90.07'), true)),
      /driver that runs is 550\.90\.07, not 570\.133\.20: reboot/,
    ],
    ['no driver', () => applied(noDriver, 9), /nvidia-smi failed: NVIDIA-SMI has failed/],
    ['no document', () => undefined, /names no GPUs/],
    [
      'no specification',
      () => [applied(lines(h100(8), true)), rmSync(join(machine, 'var'), { recursive: true })],
      /no CDI specification/,
    ],
  ])('says what is wrong: %s', (_, change, reason) => {
    change();
    expect(called('check')).toContainEqual(expect.stringMatching(reason));
  });
});
