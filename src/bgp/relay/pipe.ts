import type { Clock, Timer } from '../../runtime/clock.ts';
import { decodeLine, type Line } from '../decode.ts';
import { poison, showNeighbors } from '../encode.ts';

export interface PipeOptions {
  /** Writes one line whole; calls `taken` when the pipe has taken it. */
  readonly write: (line: string, taken: () => void) => void;
  readonly clock: Clock;
  /** Called when a session came up, or went down or failed to come up, with ExaBGP's reason if it gives one. */
  readonly onSession: (neighbor: string, state: 'up' | 'down', reason?: string) => void;
  /** Called for an answer that no command waits for: some answers were matched to the wrong commands, so a `resync` is due. */
  readonly onStray: () => void;
  /** How many lines may be sent but not answered yet: ExaBGP blocks for ever when its 64 KiB of answers are full. Default 100. */
  readonly window?: number;
  readonly answerTimeoutMs?: number;
}

/** ExaBGP did not answer in time; until the next `resync` answers cannot be matched to commands. */
export class AnswerLost extends Error {}

export interface Answer {
  readonly ok: boolean;
  /** The lines that ExaBGP printed before the `done`. */
  readonly output: readonly Line[];
}

interface Pending {
  readonly line: string;
  readonly output: Line[];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Sends commands to ExaBGP and matches its answers. Answers carry no id and are matched by order; so there is one writer, a
 * bounded number of commands is outstanding, and `resync` starts anew when an answer was lost (a line with a bad address gets
 * none).
 */
export class CommandPipe {
  readonly #options: PipeOptions;
  readonly #window: number;
  #queued: Pending[] = [];
  #outstanding: Pending[] = [];
  #writing = false;
  #timer: Timer | undefined;
  /** Since when ExaBGP owes an answer and has written nothing; monotonic ms. */
  #owedSinceMs: number | undefined;
  /** Set while a `resync` waits for the header of its answer: every line before it answers an earlier command. */
  #marker: { sawHeader: boolean; readonly pending: Pending } | undefined;

  constructor(options: PipeOptions) {
    this.#options = options;
    this.#window = options.window ?? 100;
  }

  /** Resolves with ExaBGP's answer; rejects with AnswerLost. */
  send(line: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#queued.push({ line, output: [], resolve, reject });
      this.#pump();
    });
  }

  /**
   * Rejects all outstanding commands and finds the place in the stream of answers again; resolves with the established
   * sessions.
   */
  async resync(): Promise<readonly string[]> {
    this.#rejectAll(new AnswerLost('resynchronising'));
    const answer = await new Promise<Answer>((resolve, reject) => {
      const pending: Pending = { line: showNeighbors, output: [], resolve, reject };
      this.#marker = { sawHeader: false, pending };
      this.#write(poison, () => this.#write(showNeighbors, () => {}));
      this.#startTimer();
    });
    return answer.output.flatMap((line) => (line.kind === 'established' ? [line.neighbor] : []));
  }

  /** For how long ExaBGP has owed an answer and written nothing at all. */
  silentForMs(nowMs: number): number {
    return this.#owedSinceMs === undefined ? 0 : nowMs - this.#owedSinceMs;
  }

  /** Takes one line of ExaBGP. */
  receive(text: string): void {
    this.#owedSinceMs = undefined;
    this.#receive(decodeLine(text));
    if (this.#waits) this.#owedSinceMs ??= this.#options.clock.monotonic();
  }

  get #waits(): boolean {
    return this.#outstanding.length > 0 || this.#marker !== undefined;
  }

  #receive(line: Line): void {
    if (line.kind === 'session') {
      this.#options.onSession(line.neighbor, line.state, line.reason);
      return;
    }
    if (this.#marker !== undefined) {
      this.#receiveMark(this.#marker, line);
      return;
    }
    if (line.kind === 'unknown') return;
    const head = this.#outstanding[0];
    if (head === undefined) {
      this.#options.onStray();
      return;
    }
    if (line.kind !== 'done' && line.kind !== 'error') {
      head.output.push(line);
      this.#startTimer();
      return;
    }
    this.#outstanding.shift();
    this.#startTimer();
    head.resolve({ ok: line.kind === 'done', output: head.output });
    this.#pump();
  }

  #receiveMark(marker: { sawHeader: boolean; readonly pending: Pending }, line: Line): void {
    if (line.kind === 'neighborsHeader') marker.sawHeader = true;
    else if (marker.sawHeader && (line.kind === 'done' || line.kind === 'error')) {
      this.#marker = undefined;
      this.#startTimer();
      marker.pending.resolve({ ok: true, output: marker.pending.output });
      this.#pump();
    } else if (marker.sawHeader && line.kind === 'established') marker.pending.output.push(line);
  }

  #pump(): void {
    if (this.#writing || this.#marker !== undefined || this.#outstanding.length >= this.#window) return;
    const next = this.#queued.shift();
    if (next === undefined) return;
    this.#outstanding.push(next);
    if (this.#outstanding.length === 1) this.#startTimer();
    this.#write(next.line, () => this.#pump());
  }

  /** One write is in flight at a time: the next line waits until the pipe has taken this one whole. */
  #write(line: string, then: () => void): void {
    this.#writing = true;
    this.#options.write(`${line}\n`, () => {
      this.#writing = false;
      then();
    });
  }

  #startTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!this.#waits) return;
    // It lasts over lost answers: whatever is sent meanwhile, ExaBGP is silent until it writes a line.
    this.#owedSinceMs ??= this.#options.clock.monotonic();
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#rejectAll(
        new AnswerLost(`no answer to: ${(this.#outstanding[0] ?? this.#marker?.pending)?.line.slice(0, 120)}`),
      );
    }, this.#options.answerTimeoutMs ?? 10_000);
  }

  #rejectAll(error: Error): void {
    this.#timer?.cancel();
    const lost = [...(this.#marker === undefined ? [] : [this.#marker.pending]), ...this.#outstanding, ...this.#queued];
    this.#marker = undefined;
    this.#outstanding = [];
    this.#queued = [];
    for (const pending of lost) pending.reject(error);
  }
}
