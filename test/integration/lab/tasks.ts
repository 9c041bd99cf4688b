import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import type { LabStatus } from '../../../lab/observe/status.ts';
import { type Task, taskNamed } from '../../support/tasks.ts';
import { type CommandResult, lab, until } from './labprocess.ts';

/**
 * Runs rows of docs/operations/tasks.md as they stand there, as the operator of a running lab, and looks at routers and name servers
 * for what they did. Each leaves the lab as it was.
 */
export function runTasks(stateOf: () => string): void {
  /** Runs a command in the folder that has the spec as `platform`: on the operator's machine, or on a server. */
  const run = (command: string, on: readonly string[] = []): Promise<CommandResult> => {
    const script = `cd "$0" && export TIDELINE_HISTORY="$0/history.jsonl" && ${command}`;
    return lab(
      'exec',
      '--state',
      stateOf(),
      ...on.flatMap((name) => ['--on', name]),
      '--',
      'sh',
      '-c',
      script,
      stateOf(),
    );
  };
  const done = async (command: string, on: readonly string[] = []): Promise<string> => {
    const result = await run(command, on);
    expect(result).toMatchObject({ code: 0 });
    return result.stdout;
  };
  const edit = async ({ edit: change }: Task): Promise<void> => {
    if (change?.file === undefined) await done(change?.text ?? 'false');
    else await done(`sed -i '${change.text}' ${change.file} && git -C platform commit -qam edit`);
  };
  const planAndApply = async ([plan = '', apply = '']: readonly string[]): Promise<void> => {
    const checksum = /^plan ([0-9a-f]{16})$/m.exec(await done(plan))?.[1] ?? '';
    await done(apply.replace('CHECKSUM', checksum));
  };

  const status = async (): Promise<LabStatus> =>
    JSON.parse((await lab('status', '--json', '--state', stateOf())).stdout) as LabStatus;
  const announcers = (count: number): Promise<void> =>
    until(async () => {
      const via = (await status()).routes['paris-tor']?.find(({ prefix }) => prefix === '192.0.2.10/32')?.via ?? [];
      return via.length === count ? undefined : `192.0.2.10 is announced by ${via.join(' ')}`;
    }, 60_000);
  const led = (country: string, cluster: string): Promise<void> =>
    until(async () => {
      const one = (await status()).countries.find((found) => found.country === country);
      const answers = [one?.route53, one?.powerdns];
      return isDeepStrictEqual(answers, [[cluster], [cluster]]) ? undefined : `${country}: ${answers.join(' | ')}`;
    }, 60_000);

  beforeAll(async () => {
    await writeFile(join(stateOf(), 'platform', '.gitignore'), 'clusters/\ndrain-*\nfreeze-*\n');
    const names = 'git -C platform config user.name operator && git -C platform config user.email operator@example.com';
    await done(`git init -q platform && ${names} && git -C platform add -A && git -C platform commit -qm first`);
  });

  it('drain and return a blade', async () => {
    const [drain = '', undrain = ''] = taskNamed('drain and return a blade').commands;
    await announcers(2);
    expect(await done(drain)).toMatch(/^blade paris-blade-1: empty: the machine may be switched off$/m);
    await announcers(1);
    await done(undrain);
    await announcers(2);
  });

  it.each([taskNamed('drain and return a cluster'), taskNamed('drain and return a site')])(
    '$name',
    async ({ commands: [drain = '', undrain = ''] }) => {
      await led('FR', 'paris');
      await done(drain);
      await led('FR', 'cloud');
      expect((await run('tideline drains platform')).stdout).toMatch(
        /^ {2}DNS: [A-Z]{2} for \S+ is led elsewhere now \(2 name servers asked\)$/m,
      );
      await done(undrain);
      await led('FR', 'paris');
    },
  );

  it('move a country, and roll back an edit', async () => {
    const move = taskNamed('move a country');
    await led('SN', 'paris');
    await edit(move);
    await planAndApply(move.commands);
    await led('SN', 'cloud');
    const back = taskNamed('roll back an edit');
    await edit(back);
    await planAndApply(back.commands);
    await led('SN', 'paris');
  });

  it('roll back what was applied', async () => {
    const before = await done('tideline steering history video.example platform');
    const applied = /, in force\n(?: +why: .*\n)? +plan ([0-9a-f]{16})/.exec(before)?.[1] ?? 'none';
    const move = taskNamed('move a country');
    await led('SN', 'paris');
    await edit(move);
    await planAndApply(move.commands);
    await led('SN', 'cloud');
    const { commands } = taskNamed('roll back what was applied');
    await planAndApply(commands.map((command) => command.replace('PLAN', applied)));
    await led('SN', 'paris');
    expect(await done('tideline steering history video.example platform')).toMatch(
      /: rollback to generation \d+, .* in force/,
    );
    await edit(taskNamed('roll back an edit'));
    expect(await done('tideline steering plan platform')).toMatch(/^nothing to do$/m);
    expect(await done('tideline steering drift platform')).not.toContain('edited');
  });

  it('find why', async () => {
    const [overview = '', why = ''] = taskNamed('find why').commands;
    await until(async () => {
      const { code, stdout } = await run(overview);
      return code === 0 ? undefined : stdout;
    }, 60_000);
    await lab('fault', 'blade-killed', 'paris-blade-1', '--state', stateOf());
    await announcers(1);
    expect(await run(overview)).toMatchObject({ code: 1, stdout: expect.stringMatching(/^[^\n]*paris-blade-1/) });
    expect(await run(why)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^[^\n]*paris-blade-1.*BladeSilent/),
    });
    await lab('heal', '--state', stateOf());
    await announcers(2);
    await led('FR', 'paris');
    expect((await run('tideline why country FR platform')).stdout).toMatch(/users in FR are led to paris$/m);
  });

  it('stop everything automatic', async () => {
    const [freeze = '', thaw = ''] = taskNamed('stop everything automatic').commands;
    const overview = async (): Promise<string> => (await run('tideline status platform')).stdout;
    await done(freeze);
    expect(await overview()).toMatch(/^[^\n]*FROZEN by .*: flapping/);
    expect(await run('tideline steering apply platform --plan 0123456789abcdef')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Frozen'),
    });
    await done(thaw);
    expect(await overview()).not.toContain('FROZEN');
  });

  it('accept what is in doubt, here a VIP that leaves its pool', async () => {
    const away = taskNamed('accept what is in doubt, here a VIP that leaves its pool');
    const [show = '', accept = ''] = away.commands;
    await edit(away);
    await until(async () => {
      const { stdout } = await run(show);
      const asked = /PoolEditWaits[^]*on paris-blade-1: tideline accept[^]*on paris-blade-2: tideline accept/.test(
        stdout,
      );
      return asked ? undefined : stdout;
    }, 30_000);
    await announcers(2);
    for (const blade of ['paris-blade-1', 'paris-blade-2']) await done(accept, [blade]);
    await announcers(0);
    await done('git -C platform revert --no-edit HEAD');
    await announcers(2);
    await led('FR', 'paris');
  });

  it('find who did what, and when', async () => {
    const [history = ''] = taskNamed('find who did what, and when').commands;
    const told = await done(history);
    for (const line of [
      /DrainAsked Blade paris-blade-1\n.*disks; by /,
      /paris-blade-1 .*VipWithdrawn VIP 192\.0\.2\.10/,
      /DnsApplied route53 zone video\.example/,
      /FreezeAsked platform\n.*flapping; by /,
      /paris-blade-2 .*Accepted 192\.0\.2\.10\n.*by /,
    ])
      expect(told).toMatch(line);
  });
}
