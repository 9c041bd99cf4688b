import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** What every plane has, and below it what a plane with an agent has besides; `docs/architecture.md` says what each is for. */
const furniture = ['README.md', 'reasons.ts', 'needs.ts'];
const agentFurniture = ['step.ts', 'status.ts', 'metrics.ts', 'compile'];
/** The headings of the README, in this order; each may go on after these words. */
const sections = ['What it promises', 'What it may import', 'How to add'];

/** The files and sections that the folder of a plane lacks. */
function missingIn(plane: string): readonly string[] {
  const wanted = existsSync(join(plane, 'agent.ts')) ? [...furniture, ...agentFurniture] : furniture;
  const lacking = wanted.filter((name) => !existsSync(join(plane, name)));
  return lacking.includes('README.md') ? lacking : [...lacking, ...missingSections(join(plane, 'README.md'))];
}

function missingSections(readme: string): readonly string[] {
  const headings = [...readFileSync(readme, 'utf8').matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading);
  const places = sections.map((section) => headings.findIndex((heading) => heading.startsWith(section)));
  const lacking = sections.filter((_, index) => places[index] === -1).map((section) => `README.md: ${section}`);
  const inOrder = places.every((place, index) => index === 0 || place > (places[index - 1] ?? -1));
  return lacking.length > 0 || inOrder ? lacking : [`README.md: the order ${sections.join(', ')}`];
}

describe('a made-up plane', () => {
  const whole = '# tides\n\n## What it promises\n\n## The moon\n\n## What it may import\n\n## How to add a moon\n';
  let plane: string;
  beforeEach(() => {
    plane = mkdtempSync(join(tmpdir(), 'tideline-furniture-'));
  });
  afterEach(() => rmSync(plane, { recursive: true, force: true }));

  function furnish(...files: readonly string[]): void {
    for (const file of files) {
      mkdirSync(dirname(join(plane, file)), { recursive: true });
      writeFileSync(join(plane, file), file === 'README.md' ? whole : '');
    }
  }

  it('that has everything lacks nothing', () => {
    furnish('README.md', 'reasons.ts', 'needs.ts');
    expect(missingIn(plane)).toEqual([]);
    furnish('agent.ts', 'step.ts', 'status.ts', 'metrics.ts', 'compile/compile.ts');
    expect(missingIn(plane)).toEqual([]);
  });

  it('that says nothing of what it needs is found', () => {
    furnish('README.md', 'reasons.ts');
    expect(missingIn(plane)).toEqual(['needs.ts']);
  });

  it('whose agent decides and acts in one place is found', () => {
    furnish('README.md', 'reasons.ts', 'needs.ts', 'agent.ts', 'status.ts', 'metrics.ts');
    expect(missingIn(plane)).toEqual(['step.ts', 'compile']);
  });

  it.each([
    ['# tides\n\n## What it promises\n\n## Adding\n', ['README.md: What it may import', 'README.md: How to add']],
    [
      '# tides\n\n## How to add\n\n## What it promises\n\n## What it may import\n',
      ['README.md: the order What it promises, What it may import, How to add'],
    ],
  ])('whose README has other sections is found: %#', (text, found) => {
    furnish('README.md', 'reasons.ts', 'needs.ts');
    writeFileSync(join(plane, 'README.md'), text);
    expect(missingIn(plane)).toEqual(found);
  });
});

const planes = readdirSync('src/planes', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

it('reads the planes', () => {
  expect(planes).toEqual(expect.arrayContaining(['edge', 'network', 'steering']));
});

it.each(planes)('%s has what every plane has', (plane) => {
  expect(missingIn(join('src/planes', plane))).toEqual([]);
});
