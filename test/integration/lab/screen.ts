import { type ChildProcess, spawn } from 'node:child_process';
import { compileCache } from '../../support/compile-cache.ts';
import { eventually, NotYet } from '../../support/eventually.ts';

interface FirstLine {
  readonly atMs: number;
  readonly text: string;
}

/** `tideline status --watch` as an operator of the lab has it before the eyes: the first line of every screen, and when it came. */
export class StatusScreen {
  readonly #child: ChildProcess;
  readonly #seen: FirstLine[] = [];

  constructor(state: string, platform: string) {
    const words = ['lab', 'exec', '--state', state, '--', 'tideline', 'status', platform, '--watch'];
    const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
    this.#child = spawn('bin/tideline', words, { stdio: ['ignore', 'pipe', 'ignore'], env });
    let rest = '';
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      const atMs = Date.now();
      for (const line of lines) if (/^\d\d:\d\d:\d\dZ {2}/.test(line)) this.#seen.push({ atMs, text: line });
    });
  }

  /** Resolves with the first screen after `fromMs` whose first line is this one. */
  until(what: string, fromMs: number, isIt: (text: string) => boolean, timeoutMs = 90_000): Promise<FirstLine> {
    const look = async (): Promise<FirstLine> => {
      const found = this.#seen.find(({ atMs, text }) => atMs >= fromMs && isIt(text));
      if (found !== undefined) return found;
      throw new NotYet(this.#seen.at(-1)?.text ?? 'no screen yet');
    };
    return eventually(what, look, { timeoutMs, everyMs: 50, onError: 'fail' });
  }

  untilWell(): Promise<FirstLine> {
    return this.until('all is well', Date.now(), (text) => text.includes('  all well'));
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}
