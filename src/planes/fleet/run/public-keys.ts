import type { Pems } from '../pki/sign.ts';
import type { StepFault } from './handlers.ts';
import { type Called, ofSilent } from './reach.ts';

/** The public keys that servers handed in, and which of them did not. */
export function publicKeysOf(
  servers: readonly string[],
  answers: ReadonlyMap<string, Called>,
): { readonly publicKeys: ReadonlyMap<string, Pems>; readonly faults: readonly StepFault[] } {
  const publicKeys = new Map<string, Pems>();
  const faults: StepFault[] = [];
  for (const server of servers) {
    const called = answers.get(server);
    if (called !== undefined && 'value' in called && isPems(called.value)) publicKeys.set(server, called.value);
    else faults.push({ server, message: `handed in no public keys: ${whyNot(called)}` });
  }
  return { publicKeys, faults };
}

function isPems(value: unknown): value is Pems {
  return typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'string');
}

function whyNot(called: Called | undefined): string {
  if (called === undefined || 'silent' in called) return ofSilent('it did not answer', called);
  return 'error' in called ? called.error : 'its answer is none';
}
