import type { ReadStream, WriteStream } from 'node:tty';
import { messageOf } from '../../src/model/values.ts';
import { labStatus } from '../observe/status.ts';
import { faultKeys, quitKeys, skipKey } from './keys.ts';
import type { DemoPort, Faults } from './port.ts';
import { ReloadCount } from './reloads.ts';
import type { StepReport } from './report.ts';
import { scenarioOf } from './scenario.ts';
import { type DemoView, renderScreen } from './screen.ts';
import { viewOf } from './view.ts';

const enterScreen = '\u001b[?1049h\u001b[?25l';
const leaveScreen = '\u001b[?25h\u001b[?1049l';
/** Terminals that know it show what is between the two at once; others pass over it. */
const beginFrame = '\u001b[?2026h\u001b[H';
const endFrame = '\u001b[?2026l';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';

/** The live view on a terminal: it draws a frame a second, and after the scenario it offers keys for faults. */
export class LiveView {
  readonly #lab: DemoPort;
  readonly #reloads: ReloadCount;
  readonly #board: Faults;
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #colour: boolean;
  readonly #quit = Promise.withResolvers<void>();
  #narration = '';
  #notice = '';
  #scenario: 'playing' | 'skipped' | 'over' = 'playing';
  #running: string | undefined;
  #done: readonly StepReport[] = [];
  #timer: NodeJS.Timeout | undefined;
  #view: DemoView | undefined;
  #stopped = false;

  constructor(options: {
    readonly lab: DemoPort;
    readonly board: Faults;
    readonly input: ReadStream;
    readonly output: WriteStream;
    readonly colour: boolean;
  }) {
    this.#lab = options.lab;
    this.#reloads = new ReloadCount(options.lab);
    this.#board = options.board;
    this.#input = options.input;
    this.#output = options.output;
    this.#colour = options.colour;
  }

  /** Resolves when the person wants to leave. */
  get quit(): Promise<void> {
    return this.#quit.promise;
  }

  start(): void {
    this.#output.write(enterScreen);
    this.#input.setRawMode(true);
    this.#input.setEncoding('utf8');
    this.#input.on('data', this.#onKeys);
    this.#input.resume();
    this.#output.on('resize', this.#paint);
    void this.#draw();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#output.off('resize', this.#paint);
    this.#input.off('data', this.#onKeys);
    this.#input.setRawMode(false);
    this.#input.pause();
    this.#output.write(leaveScreen);
  }

  narrate(line: string): void {
    this.#narration = line;
  }

  /** True when the person does not want the rest of the scenario. */
  get skipped(): boolean {
    return this.#scenario === 'skipped';
  }

  /** Must be called when the scenario is over: from now on the person's keys begin and heal faults. */
  handOver(line: string): void {
    this.#scenario = 'over';
    this.#notice = '';
    this.narrate(line);
  }

  begin(step: string): void {
    this.#running = step;
  }

  end(report: StepReport): void {
    this.#running = undefined;
    this.#done = [...this.#done, report];
  }

  readonly #onKeys = (chunk: string | Buffer): void => {
    for (const key of String(chunk)) {
      if (quitKeys.has(key)) this.#quit.resolve();
      else void this.#press(key);
    }
  };

  async #press(key: string): Promise<void> {
    if (key === skipKey && this.#scenario === 'playing') {
      this.#scenario = 'skipped';
      this.#notice = '[s] the scenario ends after this step';
    }
    const known = faultKeys.find((candidate) => candidate.key === key);
    if (known === undefined) return;
    if (this.#scenario !== 'over') {
      this.#notice = `[${key}] ${known.label}: once the scenario is over ([s] ends it after this step)`;
      return;
    }
    this.#notice = `[${key}] ${known.label} ...`;
    try {
      this.#notice = `[${key}] ${known.label}: ${await known.press(this.#lab, this.#board)}`;
    } catch (error) {
      this.#notice = messageOf(error);
    }
  }

  async #draw(): Promise<void> {
    try {
      const [status, nginxReloads] = await Promise.all([
        labStatus(this.#lab, this.#board.active),
        this.#reloads.total(),
      ]);
      this.#view = viewOf(this.#lab.world, status, {
        steps: this.#steps(),
        narration: this.#narration,
        notice: this.#notice,
        quit: { key: 'q', label: 'quit' },
        keys: this.#scenario === 'over' ? faultKeys : [{ key: skipKey, label: 'skip the scenario' }],
        nginxReloads,
        nowMs: this.#lab.clock.now(),
      });
      this.#paint();
    } catch (error) {
      this.narrate(messageOf(error));
    }
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#draw(), 1000);
  }

  #steps(): DemoView['steps'] {
    return scenarioOf(this.#lab).map(({ name }) => {
      const report = this.#done.find((done) => done.name === name);
      if (report !== undefined) return { name, state: report.ok ? 'done' : 'failed' };
      return { name, state: name === this.#running ? 'running' : 'waiting' };
    });
  }

  /** Paints the newest view in the size that the terminal has now. */
  readonly #paint = (): void => {
    if (this.#stopped || this.#view === undefined) return;
    const rows = this.#output.rows || usual.rows;
    const columns = this.#output.columns || usual.columns;
    const lines = renderScreen(this.#view, { columns, rows, colour: this.#colour });
    // Nothing is cleared behind a line: in the last column the cursor stands on the last character until the next one comes.
    const cleared = lines.map((line) => `${clearLine}${line}`).join('\r\n');
    const below = lines.length < rows ? `\r\n${clearBelow}` : '';
    this.#output.write(`${beginFrame}${cleared}${below}${endFrame}`);
  };
}

/** The size of a terminal that does not say it. */
const usual = { columns: 80, rows: 24 } as const;
