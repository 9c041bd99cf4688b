import { z } from 'zod';
import { messageOf } from '../model/values.ts';
import { type Asking, get, type Place } from './ask.ts';
import { stranger } from './snapshot.ts';
import { age } from './times.ts';

const text = z.string();
const observed = z.union([
  z.object({
    state: z.literal('read'),
    ready: z.number(),
    autoscaler: z.object({ min: z.number(), max: z.number() }).optional().catch(undefined),
  }),
  z.object({ state: z.literal('unread'), why: text }),
]);
const schema = z.object({
  agent: z.literal('scaling'),
  cluster: text,
  serves: text.optional().catch(undefined),
  measuredAtMs: z.number().optional(),
  computedAtMs: z.number().optional(),
  targets: z.array(
    z.object({
      target: text,
      told: z.number(),
      floor: z.number().optional(),
      binding: text.optional(),
      missing: z.number().catch(0),
      observed: observed.optional().catch(undefined),
    }),
  ),
  findings: z.array(z.object({ reason: text, message: text })).catch([]),
  doubts: z.array(text).catch([]),
  problems: z.array(text).catch([]),
});

export type ScalingSeen = z.infer<typeof schema>;

/** What a scaling agent answered, as far as it is read here; or why it cannot be read. */
export type ScalingPart = { readonly at: string } & ({ readonly scaling: ScalingSeen } | { readonly problem: string });

/** Asks a scaling agent for its status. Never rejects. */
export async function askScaling(place: Place, options: Asking): Promise<ScalingPart> {
  const at = `${place.address.includes(':') ? `[${place.address}]` : place.address}:${place.port}`;
  try {
    const read = schema.safeParse(JSON.parse(await get(place, options)));
    return read.success
      ? { at, scaling: read.data }
      : { at, problem: stranger('with what is no status of a scaling agent') };
  } catch (error) {
    return { at, problem: error instanceof SyntaxError ? stranger('no JSON') : messageOf(error) };
  }
}

/** What a person sees of it, a line each. */
export function scalingLines(part: ScalingPart, nowMs: number): readonly string[] {
  if ('problem' in part) return [`the scaling agent at ${part.at} ${part.problem}`];
  const { cluster, measuredAtMs, computedAtMs, targets, findings, doubts, problems } = part.scaling;
  const ago = (atMs: number | undefined): string => (atMs === undefined ? 'never' : `${age(nowMs - atMs)} ago`);
  return [
    `autoscalers of ${cluster}, told by ${part.at}: demand of ${ago(measuredAtMs)}, floors of ${ago(computedAtMs)}`,
    ...problems.map((problem) => `  problem: ${problem}`),
    ...targets.map(targetLine),
    ...(targets.length === 0 ? ['  no target of this cluster is told anything'] : []),
    ...(doubts.length === 0 ? [] : [`  no floor falls now: ${doubts.join('; ')}`]),
    ...findings.map(({ reason, message }) => `  ${reason}: ${message}`),
  ];
}

/** Whether something is not as it should be: an agent that is silent, has a problem, or whose floors are not held. */
export function isScalingAmiss(part: ScalingPart): boolean {
  if ('problem' in part) return true;
  const { problems, targets } = part.scaling;
  const isShort = ({ told, missing, observed: seen }: ScalingSeen['targets'][number]): boolean =>
    missing > 0 || (seen?.state === 'read' && seen.ready < told) || seen?.state === 'unread';
  return problems.length > 0 || targets.some(isShort);
}

function targetLine({ target, told, floor, binding, missing, observed: seen }: ScalingSeen['targets'][number]): string {
  const because =
    binding === undefined ? '' : ` because of ${binding === 'nothing' ? 'what comes now' : `the loss of ${binding}`}`;
  const more = floor === undefined || floor === told ? '' : `, of which ${floor} are needed now`;
  const lack = missing > 0 ? `, and ${missing} more that it cannot have` : '';
  const has =
    seen === undefined
      ? ''
      : seen.state === 'read'
        ? `, ${seen.ready} Ready`
        : `, and nobody knows what is Ready: ${seen.why}`;
  return `  ${target}: ${told} replicas${because}${more}${lack}${has}`;
}
