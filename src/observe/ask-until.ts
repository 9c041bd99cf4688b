import type { Clock } from '../runtime/clock.ts';
import type { DnsQuery, NameServer } from './ask-dns.ts';
import type { DnsPart } from './why/evidence.ts';

/** One family of a host, asked as a client in a country; `subnet` is an address of it. */
export interface ClientQuestion {
  readonly host: string;
  readonly type: 'A' | 'AAAA';
  readonly country: string;
  readonly subnet: string;
}

/** What a name server is to be asked, and what is said of it. */
export interface Asked<Question extends ClientQuestion> {
  /** How a person calls it. */
  readonly name: string;
  readonly server: NameServer;
  readonly questions: readonly Question[];
}

/** How far a name server answers as it should. */
export interface Heard {
  readonly name: string;
  readonly asked: number;
  readonly right: number;
  /** What it answered last that is not right, or that it is silent. */
  readonly wrong: readonly string[];
}

export interface Patience<Question extends ClientQuestion> {
  readonly dns: (query: DnsQuery) => Promise<DnsPart>;
  /** What is wrong with an answer, as a clause; undefined of a right one. */
  readonly judge: (question: Question, addresses: readonly string[], rcode: string) => Promise<string | undefined>;
  readonly clock: Clock;
  /** After so long nobody is asked again. */
  readonly limitMs: number;
  /** Ends the asking before its time. */
  readonly ended?: AbortSignal;
  /** Is told after each round. */
  readonly onRound: (heard: readonly Heard[]) => void;
}

/** So many questions are put to one name server at once. */
const beside = 8;
const firstPauseMs = 500;
const longestPauseMs = 5000;

/**
 * Asks every name server until all its answers are right, or the time is over: a change takes a while to reach all of them. A question
 * that was answered rightly is not asked again, and whoever is silent is asked one question a round. Never rejects unless `judge` does.
 */
export async function askUntilRight<Question extends ClientQuestion>(
  all: readonly Asked<Question>[],
  patience: Patience<Question>,
): Promise<readonly Heard[]> {
  const { clock, limitMs, onRound, ended } = patience;
  const end = clock.monotonic() + limitMs;
  const servers = all.map((asked) => new Server(asked, patience, end));
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    await Promise.all(servers.map((server) => server.round()));
    const heard = servers.map((server) => server.heard());
    onRound(heard);
    const leftMs = end - clock.monotonic();
    const isOver = leftMs <= 0 || ended?.aborted === true;
    if (isOver || heard.every(({ asked, right }) => asked === right)) return heard;
    await pause(clock, Math.min(pauseMs, leftMs), ended);
  }
}

/** Resolves after `delayMs`, or when it is ended. */
function pause(clock: Clock, delayMs: number, ended: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      ended?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.setTimeout(done, delayMs);
    ended?.addEventListener('abort', done);
  });
}

/** One name server, and what of its questions is open. */
class Server<Question extends ClientQuestion> {
  readonly #asked: Asked<Question>;
  readonly #patience: Patience<Question>;
  readonly #end: number;
  readonly #wrong: Map<Question, string>;

  constructor(asked: Asked<Question>, patience: Patience<Question>, end: number) {
    this.#asked = asked;
    this.#patience = patience;
    this.#end = end;
    this.#wrong = new Map(asked.questions.map((question) => [question, 'was not asked in time']));
  }

  async round(): Promise<void> {
    const open = [...this.#wrong.keys()];
    const [first] = open;
    if (first === undefined || !(await this.#ask(first))) return;
    open.shift();
    const worker = async (): Promise<void> => {
      for (let question = open.shift(); question !== undefined; question = open.shift()) {
        const isLate = this.#patience.clock.monotonic() > this.#end;
        if (isLate || !(await this.#ask(question))) open.length = 0;
      }
    };
    await Promise.all(Array.from({ length: beside }, worker));
  }

  heard(): Heard {
    const { name, questions } = this.#asked;
    const wrong = [...new Set(this.#wrong.values())];
    return { name, asked: questions.length, right: questions.length - this.#wrong.size, wrong };
  }

  /** False when the name server is silent. */
  async #ask(question: Question): Promise<boolean> {
    const { server } = this.#asked;
    const { host, type, country, subnet } = question;
    const part = await this.#patience.dns({ server, host, types: [type], country, subnet });
    if ('problem' in part) {
      for (const open of this.#wrong.keys()) this.#wrong.set(open, part.problem);
      return false;
    }
    const said = await this.#patience.judge(question, part.addresses, part.rcode);
    if (said === undefined) this.#wrong.delete(question);
    else this.#wrong.set(question, said);
    return true;
  }
}
