/**
 * The kinds of no, the same in every room. Each has a reason from the catalogue of its room (`reasons.ts`): a stable name in
 * CamelCase that is log field, metric label, status condition and test assertion at once.
 *
 * - A **refusal** is something that was asked for and is not done.
 * - A **finding** is a result of a check, good or bad (`src/preflight/finding.ts`).
 * - A **notice** is something that a person should know about an action that is done all the same.
 * - A **problem** is something wrong in what a person wrote; it names the place, and what to do about it.
 */
export interface Refusal<Reason extends string> {
  readonly reason: Reason;
  /** Why, one sentence without a full stop. */
  readonly message: string;
}

export interface Notice<Reason extends string> {
  readonly reason: Reason;
  /** What the person should know, one sentence without a full stop. */
  readonly message: string;
}

export interface Problem<Reason extends string = string> {
  readonly reason: Reason;
  /** The file, as the person named it; absent for objects read from an API. */
  readonly file?: string;
  /** Line in the file, 1-based. */
  readonly line?: number;
  /** The object, `Kind/name` or `Kind/namespace/name`. */
  readonly object?: string;
  /** Path of the field, e.g. `spec.rules[0].countries[1]`, or the option of the command: `--cluster`. */
  readonly path?: string;
  /** What is wrong, one sentence without a full stop. */
  readonly message: string;
  /** What was expected, when `message` does not say it. */
  readonly expected?: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** A problem that ends a command: the person who reads it must also be told what to do. */
export interface InputProblem<Reason extends string = string> extends Problem<Reason> {
  readonly fix: string;
}

/** Bad input from a person: commands print it without a stack trace and exit with code 2. */
export class InputError extends Error {
  readonly problems: readonly InputProblem[];
  constructor(problems: InputProblem | readonly InputProblem[]) {
    const list = 'reason' in problems ? [problems] : problems;
    super(list.map(formatProblem).join('\n'));
    this.name = 'InputError';
    this.problems = list;
  }
}

/** A terminal shows some thirty lines, and who named the wrong folder has hundreds of problems there. */
const mostTold = 10;

/** The lines of the first problems, and how many more there are of which reason. */
export function problemList(problems: readonly Problem[]): readonly string[] {
  if (problems.length <= mostTold) return problems.flatMap(problemLines);
  const rest = problems.slice(mostTold);
  const reasons = [...Map.groupBy(rest, ({ reason }) => reason)].toSorted(([, a], [, b]) => b.length - a.length);
  const counts = reasons.map(([reason, same]) => `${same.length} ${reason}`).join(', ');
  const files = new Set(problems.map(({ file }) => file)).size;
  return [
    ...problems.slice(0, mostTold).flatMap(problemLines),
    `... and ${rest.length} more problems (${counts}); all are in ${files} ${files === 1 ? 'file' : 'files'}`,
    '    fix: name the folder that holds the platform spec; tideline check FOLDER lists every problem of it',
  ];
}

/** `file:line: object path: message (Reason)` then indented `expected:` and `fix:` lines. */
export function formatProblem(problem: Problem): string {
  return problemLines(problem).join('\n');
}

/** The lines of `formatProblem`. */
export function problemLines(problem: Problem): readonly string[] {
  const place =
    problem.file === undefined ? '' : `${problem.file}${problem.line === undefined ? '' : `:${problem.line}`}: `;
  const subject = [problem.object, problem.path].filter((part) => part !== undefined).join(' ');
  const lines = [`${place}${subject === '' ? '' : `${subject}: `}${problem.message} (${problem.reason})`];
  if (problem.expected !== undefined) lines.push(`    expected: ${problem.expected}`);
  if (problem.fix !== undefined) lines.push(`    fix: ${problem.fix}`);
  return lines;
}
