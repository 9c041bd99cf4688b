import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { clientOf, createZone, testEmulator } from '../../support/steering/emulator.ts';
import { taskNamed } from '../../support/tasks.ts';

/** An operator's machine: the platform spec as `platform`, whose zone is in the emulator, and the commands of docs/operations. */
let emulator: Emulator;
let folder: string;

beforeAll(async () => {
  emulator = await testEmulator();
  const client = clientOf(emulator);
  await createZone(client, 'video.example');
  client.destroy();
  folder = await mkdtemp(join(tmpdir(), 'tideline-rollback-'));
  await cp('examples/hybrid', join(folder, 'platform'), { recursive: true });
  await edit('[route53, powerdns]', '[route53]');
});

afterAll(async () => {
  await emulator?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function edit(from: string, to: string): Promise<void> {
  const file = join(folder, 'platform', 'traffic.yaml');
  const text = await readFile(file, 'utf8');
  expect(text).toContain(from);
  await writeFile(file, text.replace(from, to));
}

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function sh(command: string): Promise<Result> {
  const env = {
    ...process.env,
    PATH: `${resolve('bin')}:${process.env['PATH']}`,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_ROUTE_53: emulator.apiUrl,
    TIDELINE_HISTORY: join(folder, 'history.jsonl'),
  };
  return new Promise((done) => {
    execFile('sh', ['-c', command], { cwd: folder, env }, (error, out, err) => {
      done({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

/** No cluster serves here, and nobody asks the name servers of the zone. */
const approved = '--no-ask --approve-share 1 --approve-failover 1 --approve-down paris newyork cloud';

/** Carries out the plan that the first command shows by the second one; resolves with what the plan said and its checksum. */
async function planAndApply(
  plan: string,
  apply: string,
): Promise<{ readonly text: string; readonly checksum: string }> {
  const shown = await sh(plan);
  expect(shown).toMatchObject({ code: 0, err: '' });
  const checksum = /^plan ([0-9a-f]{16})$/m.exec(shown.out)?.[1] ?? 'none';
  expect(await sh(`${apply.replace('CHECKSUM', checksum)} ${approved}`)).toMatchObject({ code: 0, err: '' });
  return { text: shown.out, checksum };
}

const plan = 'tideline steering plan platform';
const apply = 'tideline steering apply platform --plan CHECKSUM';

test('an apply is told with its reason and rolled back by its plan; the next plan says that it would undo that', async () => {
  const { checksum: earlier } = await planAndApply(plan, `${apply} --reason 'the first'`);
  await edit('- countries: [GB]', '- countries: [GB, FO]');
  const { checksum: later } = await planAndApply(plan, `${apply} --reason 'isles are near'`);
  const told = await sh('tideline steering history video.example platform');
  expect(told).toMatchObject({ code: 0, err: '' });
  expect(told.out).toMatch(
    new RegExp(
      `generation 2, .*: apply, .*, in force\\n {4}why: isles are near\\n {4}plan ${later}, inputs \\w+\\n.*generation 1, .*\\n {4}why: the first\\n {4}plan ${earlier}, `,
    ),
  );
  const between = await sh(`tideline steering diff ${earlier} 2 video.example platform`);
  expect(between).toMatchObject({ code: 0, err: '' });
  expect(between.out).toBe(
    'route53 zone video.example, generation 1 -> 2\n  policy video is changed\n    cloud > paris > newyork -> newyork:30,paris:70 > cloud: FO\n',
  );
  const [show = '', carryOut = ''] = taskNamed('roll back what was applied').commands.map((command) =>
    command.replace('PLAN', earlier),
  );
  const { text } = await planAndApply(show, `${carryOut} --reason 'they are not'`);
  expect(text).toContain('route53 zone video.example, generation 2, back to generation 1\n');
  expect(text).toMatch(/something else of video, .*`tideline freeze FOLDER --reason TEXT` \(SpecSaysOtherwise\)/);
  expect((await sh(plan)).out).toMatch(
    /rolled the zone back to generation 1 at \S+ \(they are not\); this plan leads away from that again \(RolledBack\)/,
  );
  await edit('- countries: [GB, FO]', '- countries: [GB]');
  expect((await sh(plan)).out).toContain('nothing to do\n');
  const json = JSON.parse((await sh('tideline steering history video.example platform -o json')).out) as object;
  expect(json).toMatchObject({
    zones: [{ generation: 3, applies: [{ task: 'rollback:1', reason: 'they are not', outcome: 'done' }, {}, {}] }],
  });
  expect(await sh('tideline steering rollback 7 video.example platform')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/wrote generation 7, .*\(UnknownGeneration\)\n {4}fix: .*: 3, 2, 1/),
  });
});
