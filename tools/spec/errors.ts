import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasons } from '../../src/model/spec/reasons.ts';

const introduction = `# What \`tideline check\` can say

<!-- Made by \`make generate\` from src/model/spec/reasons.ts and test/golden/check; do not edit. -->

Every problem is \`file:line: Kind/name path: what is wrong (Reason)\`, then what was expected and how to fix it. All problems of
all files are shown in one go, sorted by file and line. The exit code is 0 for a valid platform (warnings do not count), and 2
otherwise. \`--output json\` prints the same for programs. Reasons are stable; texts are not.

The examples are what the command prints for the inputs in \`test/golden/check\`.
`;

/** The text of `docs/reference/errors.md`: every reason with its meaning and a message that a golden proves. */
export function errorReference(root: string): string {
  const messages = goldenMessages(join(root, 'test/golden/check'));
  const sections = Object.entries(reasons).map(([reason, meaning]) => {
    const message = messages.get(reason);
    if (message === undefined) throw new RangeError(`no golden in test/golden/check shows ${reason}`);
    return `## ${reason}\n\n${meaning}\n\n\`\`\`\n${message}\n\`\`\`\n`;
  });
  return [introduction, ...sections].join('\n');
}

/** The first message of every reason; the golden that is named after the reason comes first. */
function goldenMessages(folder: string): ReadonlyMap<string, string> {
  const messages = new Map<string, string>();
  const cases = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of cases) {
    const text = readFileSync(join(folder, name, 'expected.txt'), 'utf8');
    for (const [message, reason] of text.matchAll(/^\S.*\((\w+)\)(?:\n {4}.*)*/gm)) {
      if (reason === undefined) continue;
      const named = name.replaceAll('-', '') === reason.toLowerCase();
      const first = messages.get(reason);
      if (first === undefined || (named && !messages.has(`${reason} of its own`))) messages.set(reason, message);
      if (named) messages.set(`${reason} of its own`, message);
    }
  }
  return messages;
}
