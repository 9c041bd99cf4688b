import { ApiError } from '../../../../kube/api/client.ts';

/** So many questions may wait for an answer; more are none of autoscalers, and would keep the cluster from its work. */
const mostAtOnce = 32;
/** More answers than anybody needs at the same time; the oldest go first. */
const mostKept = 4096;

/** Answers that are asked for once in a while, and not twice at the same time. A question that failed is asked again. */
export class Remembered<T> {
  readonly #keptMs: number;
  readonly #nowMs: () => number;
  #waiting = 0;
  readonly #known = new Map<string, { readonly untilMs: number; readonly answer: Promise<T> }>();

  /** `nowMs` never goes back. */
  constructor(keptMs: number, nowMs: () => number) {
    this.#keptMs = keptMs;
    this.#nowMs = nowMs;
  }

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key);
    if (known !== undefined && known.untilMs > this.#nowMs()) return known.answer;
    if (this.#waiting >= mostAtOnce)
      return Promise.reject(new ApiError(429, 'TooManyRequests', 'too many questions wait for the cluster already'));
    this.#waiting += 1;
    const answer = ask().finally(() => {
      this.#waiting -= 1;
    });
    this.#known.delete(key);
    this.#known.set(key, { untilMs: this.#nowMs() + this.#keptMs, answer });
    answer.catch(() => {
      if (this.#known.get(key)?.answer === answer) this.#known.delete(key);
    });
    for (const [oldest] of this.#known) {
      if (this.#known.size <= mostKept) break;
      this.#known.delete(oldest);
    }
    return answer;
  }
}
