import { createHash } from 'node:crypto';
import { apiVersion } from '../model/contract.ts';
import { proposalOf, proposalText } from '../model/platform/overlays.ts';
import type { TrafficOverlay, TrafficVerdict } from '../model/spec/kinds.ts';
import type { Proposal } from '../model/spec/overlay-view.ts';
import { keyOf } from './spec-api.ts';
import { putting, readValid, type SpecEdit } from './spec-edit.ts';

export interface NewVerdict extends Pick<TrafficVerdict['spec'], 'verdict' | 'by' | 'reason'> {
  readonly overlay: TrafficOverlay;
}

/** What a proposal is called: the first 12 hex digits of SHA-256 over what of it decides about traffic. */
export function proposalDigest(proposal: Proposal): string {
  return createHash('sha256').update(proposalText(proposal)).digest('hex').slice(0, 12);
}

/** The spec of the TrafficVerdict that says so now about an overlay as it stands. */
export function verdictSpec({ overlay, verdict, by, reason }: NewVerdict, nowMs: number): TrafficVerdict['spec'] {
  const at = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return { overlay: overlay.metadata.name, verdict, by, at, reason, proposal: proposalOf(overlay) };
}

/**
 * The edit that puts a verdict on an overlay, as it stands, into the first folder of `paths`, in a file of its own, and in the place of an earlier
 * one. Throws an InputError when the spec is not valid, before or after.
 */
export async function judging(paths: readonly string[], verdict: NewVerdict, nowMs: number): Promise<SpecEdit> {
  const spec = await readValid(paths, nowMs);
  const { name } = verdict.overlay.metadata;
  const text = textOf(name, verdictSpec(verdict, nowMs));
  return putting(paths, spec, { kind: 'TrafficVerdict', name, text }, nowMs);
}

/** The file in which the folder has a verdict of this name, if any. Throws an InputError when the spec is not valid. */
export async function verdictFileOf(
  paths: readonly string[],
  name: string,
  nowMs: number,
): Promise<string | undefined> {
  const { documents } = await readValid(paths, nowMs);
  return documents.find((document) => keyOf(document) === `TrafficVerdict/${name}`)?.file;
}

/** JSON is YAML, also where kubectl reads it. */
function textOf(name: string, { proposal: { rules, ...proposal }, ...said }: TrafficVerdict['spec']): string {
  const line = ([field, value]: readonly [string, unknown]): string => `${field}: ${JSON.stringify(value)}`;
  return [
    `apiVersion: ${apiVersion}`,
    'kind: TrafficVerdict',
    `metadata: { name: ${JSON.stringify(name)} }`,
    'spec:',
    ...Object.entries(said).map((one) => `  ${line(one)}`),
    '  proposal:',
    ...Object.entries(proposal).map((one) => `    ${line(one)}`),
    '    rules:',
    ...rules.map((rule) => `      - ${JSON.stringify(rule)}`),
    '',
  ].join('\n');
}
