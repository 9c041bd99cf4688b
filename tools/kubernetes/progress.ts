/** Says how far a long work is: on a terminal one line that is written over, elsewhere a line every 15 s. */
export class Progress {
  readonly #startedAt = performance.now();
  readonly #terminal = process.stderr.isTTY;
  #saidAt = 0;

  /** A sentence that stays. */
  say(text: string): void {
    process.stderr.write(`${this.#terminal ? '\r\x1b[K' : ''}kubernetes: ${text}\n`);
    this.#saidAt = performance.now();
  }

  /** A state that the next one replaces. */
  update(text: string): void {
    const now = performance.now();
    if (now - this.#saidAt < (this.#terminal ? 200 : 15_000)) return;
    this.#saidAt = now;
    const line = `kubernetes: ${text}, ${this.elapsed()}`;
    process.stderr.write(this.#terminal ? `\r\x1b[K${line}` : `${line}\n`);
  }

  elapsed(): string {
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }
}
