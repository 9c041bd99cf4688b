import { isNotification } from '../decode.ts';

/** Why a session that is down went down, and what became of the attempts to bring it up. */
export class DownReasons {
  #first: string | undefined;
  /** The last notification since then: a router that has refused a session often only closes the connections after that. */
  #notification: string | undefined;
  #last: string | undefined;

  /** Takes the reason of the end of the session, and then that of each attempt. */
  add(reason: string): void {
    this.#first ??= reason;
    this.#last = reason;
    if (isNotification(reason) && reason !== this.#first) this.#notification = reason;
  }

  /** What ended the session, what a router has said since, and what ended the last attempt; each only if it is something else. */
  get text(): string | undefined {
    const [first, notification, last] = [this.#first, this.#notification, this.#last];
    if (first === undefined) return undefined;
    const since = notification === undefined || notification === last ? '' : `; since then: ${notification}`;
    return `${first}${since}${last === first ? '' : `; last attempt: ${last}`}`;
  }
}
