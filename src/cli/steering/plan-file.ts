import { messageOf } from '../../model/values.ts';
import type { ZonePlan } from '../../planes/steering/plan/plan.ts';

/** A plan of a zone with a hundred thousand records is smaller. */
const maxBytes = 64 << 20;
const checksumForm = /^[0-9a-f]{16}$/;

/** Keeps plans in a file, as `--output json` prints them; `apply --plan` takes it. */
export async function keepPlans(path: string, plans: readonly ZonePlan[]): Promise<void> {
  const { plansToJson } = await import('../../planes/steering/plan/json.ts');
  const { replaceFile } = await import('../../runtime/kept-file.ts');
  try {
    await replaceFile(path, `${JSON.stringify(plansToJson(plans), null, 2)}\n`);
  } catch (error) {
    throw await notAPlan(`the plan cannot be kept in ${path}: ${messageOf(error)}`, 'name a file that can be written');
  }
}

/** The checksum that a person agreed to: the text itself, or that of the plan in the file of this name. */
export async function agreedChecksum(text: string): Promise<string> {
  if (checksumForm.test(text)) return text;
  const { readBounded } = await import('../../runtime/bounded-file.ts');
  try {
    const kept: unknown = JSON.parse((await readBounded(text, maxBytes)).toString('utf8'));
    const checksum = typeof kept === 'object' && kept !== null && 'checksum' in kept ? kept.checksum : undefined;
    if (typeof checksum === 'string' && checksumForm.test(checksum)) return checksum;
  } catch (error) {
    throw await notAPlan(
      `${text} is not 16 characters of a checksum, nor a file with a plan: ${messageOf(error)}`,
      fix,
    );
  }
  throw await notAPlan(`${text} holds no plan`, fix);
}

const fix = 'give the last line of `tideline steering plan`, or the file that its option --out wrote';

async function notAPlan(message: string, how: string): Promise<Error> {
  const { badInput } = await import('../../planes/steering/reasons.ts');
  return badInput('UnreadablePlan', message, how);
}
