import { nameOf } from './ask-history.ts';
import type { PastDecision } from './history.ts';

/** Decisions for people, each on a line and a second one for its cause, the oldest first; a line with the date wherever the day changes. */
export function renderHistory(decisions: readonly PastDecision[]): readonly string[] {
  let day = '';
  return decisions.flatMap((one) => {
    const time = new Date(one.atMs).toISOString();
    const date = time.slice(0, 10) === day ? [] : [time.slice(0, 10)];
    day = time.slice(0, 10);
    return [...date, ...linesOf(one, time)];
  });
}

function linesOf({ what, subject, why, by, inputs, ...who }: PastDecision, time: string): readonly string[] {
  const more = [
    ...(why === undefined ? [] : [why]),
    ...(by === undefined ? [] : [`by ${by}`]),
    ...(inputs === undefined ? [] : [`(${inputs})`]),
  ].join('; ');
  return [`${time.slice(11, 19)}Z  ${nameOf(who)}  ${what} ${subject}`, ...(more === '' ? [] : [`    ${more}`])];
}
