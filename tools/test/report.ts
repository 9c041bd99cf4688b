/** The result of a step of `make test`. A test that was skipped has failed. */
export interface Count {
  readonly passed: number;
  readonly failed: number;
  /** The failures that are known by name, each with the first lines of its message. */
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly test: string;
  readonly why: string;
}

/** The fields that are read of vitest's JSON report (the same as jest's). */
interface Report {
  readonly numPassedTests: number;
  readonly numTotalTests: number;
  readonly testResults?: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/**
 * Counts vitest's JSON report. A skipped test is a failed one. A runner that failed without naming a failed test (it crashed,
 * or a file did not load) counts as one failure, and so does one that ran nothing.
 */
export function countReport(text: string, code: number): Count {
  try {
    const report = JSON.parse(text) as Report;
    const failed = report.numTotalTests - report.numPassedTests;
    const silent = failed === 0 && (code !== 0 || report.numTotalTests === 0);
    return { passed: report.numPassedTests, failed: silent ? 1 : failed, failures: failuresOf(report) };
  } catch {
    return { passed: 0, failed: 1, failures: [] };
  }
}

function failuresOf({ testResults = [] }: Report): readonly Failure[] {
  return testResults.flatMap(({ name, status, message = '', assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status !== 'passed');
    if (failed.length === 0) return status === 'failed' ? [{ test: name, why: firstLines(message) }] : [];
    return failed.map(({ fullName, status: how, failureMessages = [] }) => ({
      test: fullName,
      why: firstLines(failureMessages.join('\n') || how),
    }));
  });
}

/** The message without its stack trace, which is in the step's output. */
function firstLines(message: string): string {
  const lines = message.split('\n');
  const trace = lines.findIndex((line) => /^\s+at /.test(line));
  return lines.slice(0, Math.min(12, trace < 0 ? lines.length : trace + 2)).join('\n');
}

/** The text at the end of a run that lists all failures of some steps by name. */
export function failureList(title: string, counts: readonly (Count & { readonly name: string })[]): string {
  const failed = counts.filter((count) => count.failed > 0);
  if (failed.length === 0) return '';
  const blocks = failed.map(({ name, failures }) => {
    const named = failures.map(({ test, why }) => `    ${test}\n${why.replace(/^/gm, '      ')}`);
    return [`  ${name}`, ...(named.length > 0 ? named : ['    no test was named: see what it wrote, above'])].join(
      '\n',
    );
  });
  return `\n${title}\n${blocks.join('\n')}\n`;
}
