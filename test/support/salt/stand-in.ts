import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');

/** A folder with a platform spec, its documents, and a program `salt` that a test wrote, for commands of the fleet. */
export class FleetDesk {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tideline-fleet-desk-'));
  readonly #variables: Readonly<Record<string, string>>;

  /** `salt` is a script of Node; `variables` are paths in the folder, which it reads from its environment. */
  constructor(salt: string, spec: string, variables: Readonly<Record<string, string>>) {
    this.#variables = variables;
    mkdirSync(this.at('bin'));
    mkdirSync(this.at('spec'));
    writeFileSync(this.at('bin/salt'), `#!${process.execPath}\n${salt}`);
    chmodSync(this.at('bin/salt'), 0o755);
    writeFileSync(this.at('spec/fleet.yaml'), spec);
    expect(this.fleet('compile', this.at('spec'), '--out', this.at('out')).status).toBe(0);
  }

  at(...parts: readonly string[]): string {
    return join(this.#folder, ...parts);
  }

  environment(): NodeJS.ProcessEnv {
    const own = Object.entries(this.#variables).map(([name, path]) => [name, this.at(path)]);
    return {
      ...process.env,
      PATH: `${this.at('bin')}:${process.env['PATH'] ?? ''}`,
      TIDELINE_HISTORY: this.at('history'),
      ...Object.fromEntries(own),
    };
  }

  /** Runs `tideline fleet …`. */
  fleet(...words: readonly string[]) {
    const { status, stdout, stderr } = spawnSync(join(root, 'bin/tideline'), ['fleet', ...words], {
      encoding: 'utf8',
      env: this.environment(),
    });
    return { status, stdout, said: `${stdout}${stderr}` };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
