import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'tideline-judge-'));
const history = join(folder, 'history.jsonl');
const spec = join(folder, 'platform');
cpSync(join(root, 'examples/hybrid'), spec, { recursive: true });
afterAll(() => rmSync(folder, { recursive: true }));

function tideline(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'src/cli/main.ts'), 'steering', ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', HOME: folder, TIDELINE_HISTORY: history },
  });
  return { status, stdout, stderr };
}

const propose = (cluster: string, expires = '2099-01-01T00:00:00Z') =>
  writeFileSync(
    join(spec, 'evening.yaml'),
    `apiVersion: tideline.dev/v1alpha1
kind: TrafficOverlay
metadata: { name: evening }
spec:
  policy: video
  owner: optimiser
  reason: paris is at its limit
  expires: ${expires}
  rules:
    - { countries: [FR], clusters: [{ name: ${cluster} }] }
`,
  );
const listed = (): Record<string, unknown> => JSON.parse(tideline('proposals', spec, '-o', 'json').stdout).proposals[0];
const recorded = (): readonly unknown[] =>
  readFileSync(history, 'utf8')
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
const verdictFile = join(spec, 'trafficverdict-evening.yaml');
const explained = (): string => tideline('explain', 'www.video.example', 'FR', spec, '--offline').stdout;

test('a proposal is listed, and approved in the version that was looked at', () => {
  expect(tideline('proposals', spec).stdout).toBe('nothing is proposed: there is no TrafficOverlay\n');
  propose('cloud');
  const { stdout } = tideline('proposals', spec);
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(/^evening [0-9a-f]{12}: proposed; policy video, for FR$/),
    '  of optimiser: paris is at its limit',
    '  until 2099-01-01T00:00:00Z, then its traffic stays',
    '  FR by cloud',
    '',
  ]);
  expect(explained()).not.toContain('by overlay');

  const shown = tideline('approve', 'evening', spec);
  const [, digest = ''] = /--proposal ([0-9a-f]{12}) --reason WHY/.exec(shown.stdout) ?? [];
  expect([shown.status, existsSync(verdictFile), listed()['digest']]).toEqual([0, false, digest]);
  const wrong = tideline('approve', 'evening', spec, '--proposal', 'aaaaaaaaaaaa', '--reason', 'x');
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('ProposalChanged')]);

  const done = tideline('approve', 'evening', spec, '--proposal', digest, '--reason', 'looked at it', '--by', 'anna');
  expect(done.stdout).toBe(`approved by anna: overlay evening, version ${digest}\nwritten: ${verdictFile}\n`);
  expect(listed()).toMatchObject({ state: 'in force', verdict: { verdict: 'approve', by: 'anna' } });
  expect(explained()).toContain('by overlay: evening of optimiser, until 2099-01-01T00:00:00Z: paris is at its limit');
  expect(recorded()).toMatchObject([
    { what: 'ProposalApproved', by: 'anna', why: 'looked at it', subject: 'overlay evening' },
  ]);
});

test('what was approved is kept while the overlay changes, both versions are shown, and a word is about the later one', () => {
  const digest = String(listed()['digest']);
  propose('newyork');
  expect(listed()).toMatchObject({
    state: 'in force',
    trouble: ['changed'],
    proposal: { rules: [{ clusters: [{ name: 'cloud' }] }] },
  });
  expect(listed()).toMatchObject({
    digest,
    countries: ['FR'],
    proposed: { state: 'proposed', countries: ['FR'], proposal: { rules: [{ clusters: [{ name: 'newyork' }] }] } },
  });
  const next = String(Object(listed()['proposed']).digest);
  expect(next).not.toBe(digest);
  expect(tideline('approve', 'evening', spec).stdout.split('\n')).toEqual([
    `evening ${digest}: in force, changed; policy video, for FR`,
    '  of optimiser',
    '  until 2099-01-01T00:00:00Z, then its traffic stays',
    '  FR by cloud',
    expect.stringMatching(/^ {2}approved by anna at .*: looked at it$/),
    `evening ${next}: proposed; policy video, for FR`,
    '  of optimiser: paris is at its limit',
    '  until 2099-01-01T00:00:00Z, then its traffic stays',
    '  FR by newyork',
    'nothing was written',
    expect.stringMatching(`^to approve exactly version ${next}: .* --proposal ${next} --reason WHY$`),
    '',
  ]);
  expect(tideline('reject', 'evening', spec).stdout).toContain(
    `nothing was written; version ${digest} ends with it, and its traffic returns\n`,
  );
  propose('tokyo');
  expect(tideline('approve', 'evening', spec).stderr).toContain('there is no cluster tokyo (OverlayBroken)');
  propose('newyork');
  expect(tideline('reject', 'evening', spec, '--proposal', next, '--reason', 'no', '--by', 'bob').status).toBe(0);
  expect(listed()).toMatchObject({ state: 'rejected', verdict: { by: 'bob', reason: 'no' } });
  expect(explained()).not.toContain('by overlay');
  expect(recorded().at(-1)).toMatchObject({ what: 'ProposalRejected', by: 'bob', why: 'no' });
  rmSync(verdictFile);
});

test('nothing is approved that would have no effect, and nobody approves his own where four eyes are wanted', () => {
  const traffic = join(spec, 'traffic.yaml');
  const text = readFileSync(traffic, 'utf8');
  const refused = (reason: string, ...more: readonly string[]) => {
    const { status, stderr } = tideline('approve', 'evening', spec, ...more);
    expect([status, stderr]).toEqual([2, expect.stringContaining(reason)]);
  };
  propose('tokyo');
  refused('there is no cluster tokyo (OverlayBroken)');
  propose('cloud', '2026-01-01T00:00:00Z');
  refused('OverlayExpired');
  expect(tideline('proposals', spec).stdout).toContain(
    ': proposed, expired; policy video, for FR\n  of optimiser: paris is at its limit\n  ended at 2026-01-01T00:00:00Z without approval: no traffic follows it\n',
  );
  propose('cloud');
  writeFileSync(traffic, text.replace(/^ {2}guard:.*$/m, '  guard: { approvers: other }'));
  if (!/guard:/.test(text)) writeFileSync(traffic, text.trimEnd().concat('\n  guard: { approvers: other }\n'));
  refused('OwnProposal', '--by', 'optimiser');
  expect(tideline('approve', 'evening', spec, '--by', 'anna').status).toBe(0);
  writeFileSync(traffic, text);
});

test('the command that is shown says what would be recorded: who, and why', () => {
  propose('cloud');
  for (const word of ['approve', 'reject']) {
    const plain = tideline(word, 'evening', spec).stdout;
    expect(plain).toMatch(/ --proposal [0-9a-f]{12} --reason WHY$/m);
    const full = tideline(word, 'evening', spec, '--by', 'anna b', '--reason', 'looked at it').stdout;
    expect(full).toMatch(/ --proposal [0-9a-f]{12} --by 'anna b' --reason 'looked at it'$/m);
    expect(existsSync(verdictFile)).toBe(false);
  }
  expect(tideline('approve', 'evening', spec, '--proposal', 'aaaaaaaaaaaa').stderr).toContain('(OptionAlone)');
});
