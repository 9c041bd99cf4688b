import { InputError } from '../../model/problem.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Snapshot } from '../../observe/snapshot.ts';
import type { DrainEdit } from '../../platform/drain-edits.ts';
import type { DrainTarget, NewDrain } from '../../platform/drain-files.ts';
import type { WholeSpec } from '../../platform/whole.ts';
import { systemClock } from '../../runtime/clock.ts';
import { printLines } from '../../runtime/print.ts';
import { lookAt } from '../look.ts';
import type { NameServerArguments } from '../name-servers.ts';
import { type OutputArguments, printResult } from '../output.ts';
import { record } from '../record.ts';
import type { SteeringAgentsArguments } from '../steering-agents.ts';
import type { TlsArguments } from '../tls.ts';
import { wholePlatform, wholeSpec } from '../whole-platform.ts';
import { checkWorker, concerned } from './concerned.ts';
import { objectWriter } from './objects.ts';
import { type Change, placesOf, standing, verdict } from './text.ts';
import { planOf, writeDrains } from './write.ts';

export interface ChangeArguments extends OutputArguments, TlsArguments {
  readonly yes?: true;
  readonly force?: true;
}

export interface DrainArguments extends ChangeArguments, SteeringAgentsArguments, NameServerArguments {
  readonly wait?: true;
  readonly toApi?: true;
  /** Milliseconds. */
  readonly for: number;
  readonly reason: string;
}

export async function runDrain(target: DrainTarget, paths: string[], options: DrainArguments): Promise<void> {
  if (options.wait === true && options.yes !== true)
    throw new InputError({
      reason: 'OptionAlone',
      message: '--wait goes with --yes',
      fix: 'add --yes, or leave --wait out',
    });
  const { kind, name } = target;
  const now = systemClock.now();
  const expires = `${new Date(now + options.for).toISOString().slice(0, 19)}Z`;
  const force = kind === 'Worker' ? options.force : undefined;
  const drain = { target, reason: options.reason, expires, ...withoutUndefined({ force }) };
  const spec = await wholeSpec(paths);
  const { edit, snapshot } = await (options.toApi === true ? editApis : editFolder)(paths, spec, drain, options);
  const what = `drain ${kind.toLowerCase()} ${name} until ${expires}`;
  await change({ edit, snapshot }, { what, verb: 'drain', target, paths, reason: options.reason }, options);
  if (options.wait !== true || process.exitCode === 1) return;
  const { untilEmpty } = await import('./wait.ts');
  const { empty, says } = await untilEmpty(paths, target, options);
  process.exitCode = empty ? 0 : 1;
  if (options.output === 'text') printLines([`${kind.toLowerCase()} ${name}: ${says}`]);
}

export async function runUndrain(target: DrainTarget, paths: string[], options: ChangeArguments): Promise<void> {
  const { undrainEverywhere } = await import('../../platform/drain-edits.ts');
  const edit = await undrainEverywhere(paths, await wholeSpec(paths), target, systemClock.now());
  const snapshot = await lookAt(edit.after, options);
  checkWorker(target, snapshot);
  if (edit.files.length + edit.objects.length === 0) return sayNotDrained(edit, target, options);
  const what = `undrain ${target.kind.toLowerCase()} ${target.name}`;
  await change({ edit, snapshot }, { what, verb: 'undrain', target, paths }, options);
}

/** A script asks that the target serves, which it does. Whoever meant another target sees which are drained. */
async function sayNotDrained({ after }: DrainEdit, { kind, name }: DrainTarget, options: ChangeArguments) {
  const drained = [...after.drains.values()].map(
    ({ spec: { target } }) => `${target.kind.toLowerCase()} ${target.name}`,
  );
  const others = drained.length === 0 ? 'nothing is' : `drained are: ${drained.join(', ')}`;
  const what = `undrain ${kind.toLowerCase()} ${name}`;
  await printResult(options.output, {
    lines: () => [`${kind.toLowerCase()} ${name} is not drained (${others}): nothing was written`],
    value: () => ({ change: what, drained, written: false, takenBack: false, files: [], objects: [] }),
  });
}

/** An edit, and what everybody said when it was made. */
interface Seen {
  readonly edit: DrainEdit;
  readonly snapshot: Snapshot;
}

async function editFolder(paths: string[], spec: WholeSpec, drain: NewDrain, options: TlsArguments): Promise<Seen> {
  const { drainInFolder } = await import('../../platform/drain-edits.ts');
  const edit = await drainInFolder(paths, spec, drain, systemClock.now());
  const snapshot = await lookAt(edit.after, options);
  checkWorker(drain.target, snapshot);
  return { edit, snapshot };
}

async function editApis(paths: string[], spec: WholeSpec, drain: NewDrain, options: TlsArguments): Promise<Seen> {
  const nowMs = systemClock.now();
  const { drainInApis } = await import('../../platform/drain-edits.ts');
  const { checkTarget } = await import('../../platform/drain-files.ts');
  const { wholeOf } = await import('../../platform/whole.ts');
  const { platform } = wholeOf(spec, nowMs);
  checkTarget(drain.target, platform);
  const snapshot = await lookAt(platform, options);
  checkWorker(drain.target, snapshot);
  const clusters = concerned(drain.target, { platform, spec, snapshot });
  return { edit: drainInApis(paths, spec, { drain, clusters }, nowMs), snapshot };
}

async function change({ edit, snapshot }: Seen, asked: Change, options: ChangeArguments): Promise<void> {
  const { renderDrainPlan } = await import('../../observe/drain-text.ts');
  const first = planOf(edit, snapshot);
  const force = options.force === true;
  const wanted = options.yes === true && (force || first.refusals.length === 0);
  const rim = { read: () => wholePlatform(asked.paths), writeObject: objectWriter(edit.before) };
  const { plan, stands } = wanted
    ? await writeDrains({ edit, plan: first, snapshot, force }, rim)
    : { plan: first, stands: false };
  if (stands) await recordChange(asked);
  const done = { stands, takenBack: wanted && !stands, refused: !force && plan.refusals.length > 0 };
  const { files, objects } = placesOf(edit);
  const shown = { ...asked, inApis: files.length === 0, ...standing(edit, asked, snapshot.takenAtMs) };
  await printResult(options.output, {
    lines: () => [...renderDrainPlan(shown, plan), ...verdict(plan, { ...asked, ...done }, [...files, ...objects])],
    value: () => ({
      change: asked.what,
      ...plan,
      written: stands,
      takenBack: done.takenBack,
      files: stands ? files.map(({ place: file, action }) => ({ file, action })) : [],
      objects: stands ? objects : [],
    }),
  });
  if (done.refused) process.exitCode = 1;
}

async function recordChange({ verb, what, target, reason }: Change): Promise<void> {
  await record(verb === 'undrain' ? 'UndrainAsked' : 'DrainAsked', {
    subject: `${target.kind} ${target.name}`,
    why: reason === undefined ? what : `${what}: ${reason}`,
  });
}
