import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const tasksDocument = 'docs/operations/tasks.md';
const repository = resolve(import.meta.dirname, '../..');

/** A row of the table of tasks. */
export interface Task {
  readonly name: string;
  /** A change of the spec: `sed` makes it in the file, or it is a command where no file is named. */
  readonly edit?: { readonly file?: string; readonly text: string };
  readonly commands: readonly string[];
  /** What people do without Tideline. */
  readonly today: string;
  /** The file of the test that runs the row. */
  readonly test: string;
}

/** Every row of the table. Throws for one that is not of its form. */
export function tasks(): readonly Task[] {
  const lines = readFileSync(join(repository, tasksDocument), 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('| ') && !line.startsWith('| task |')).map(taskOf);
}

export function taskNamed(name: string): Task {
  const found = tasks().find((task) => task.name === name);
  if (found === undefined) throw new Error(`${tasksDocument} has no task "${name}"`);
  return found;
}

function taskOf(line: string): Task {
  const cells = line.slice(2, -2).split(/ (?<!\\)\| /);
  const [name = '', edit = '', commands = '', today = '', test = ''] = cells;
  const [testFile] = codeOf(test);
  if (cells.length !== 5 || testFile === undefined) throw new Error(`${tasksDocument}: not a row of a task: ${line}`);
  return { name, ...editOf(edit), commands: codeOf(commands).filter(isCommand), today, test: testFile };
}

function editOf(cell: string): Pick<Task, 'edit'> {
  const [first, second] = codeOf(cell);
  if (first === undefined) return {};
  return { edit: second === undefined ? { text: first } : { file: first, text: second } };
}

function codeOf(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll('\\|', '|'));
}

/** A path alone is where something lies; a program of the repository is a command. */
function isCommand(code: string): boolean {
  return !/^\S+\/$|^\/opt\/tideline$/.test(code);
}
