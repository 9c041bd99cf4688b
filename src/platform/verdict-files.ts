import { createHash } from 'node:crypto';
import { apiVersion } from '../model/contract.ts';
import { proposalOf, proposalText } from '../model/platform/overlays.ts';
import type { TrafficOverlay, TrafficVerdict } from '../model/spec/kinds.ts';
import type { Proposal } from '../model/spec/overlay-view.ts';
import { putting, readValid, type SpecEdit } from './spec-edit.ts';

export interface NewVerdict extends Pick<TrafficVerdict['spec'], 'verdict' | 'by' | 'reason'> {
  readonly overlay: TrafficOverlay;
}

/** What a proposal is called: the first 12 hex digits of SHA-256 over what of it decides about traffic. */
export function proposalDigest(proposal: Proposal): string {
  return createHash('sha256').update(proposalText(proposal)).digest('hex').slice(0, 12);
}

/**
 * The edit that puts a verdict on an overlay, as it stands, into the first folder of `paths`, in a file of its own, and in the place of an earlier
 * one. Throws an InputError when the spec is not valid, before or after.
 */
export async function judging(paths: readonly string[], verdict: NewVerdict, nowMs: number): Promise<SpecEdit> {
  const spec = await readValid(paths, nowMs);
  const { name } = verdict.overlay.metadata;
  return putting(paths, spec, { kind: 'TrafficVerdict', name, text: textOf(verdict, nowMs) }, nowMs);
}

/** JSON is YAML, also where kubectl reads it. */
function textOf({ overlay, verdict, by, reason }: NewVerdict, nowMs: number): string {
  const { rules, ...proposal } = proposalOf(overlay);
  return [
    `apiVersion: ${apiVersion}`,
    'kind: TrafficVerdict',
    `metadata: { name: ${JSON.stringify(overlay.metadata.name)} }`,
    'spec:',
    `  overlay: ${JSON.stringify(overlay.metadata.name)}`,
    `  verdict: ${verdict}`,
    `  by: ${JSON.stringify(by)}`,
    `  at: ${JSON.stringify(`${new Date(nowMs).toISOString().slice(0, 19)}Z`)}`,
    `  reason: ${JSON.stringify(reason)}`,
    '  proposal:',
    ...Object.entries(proposal).map(([field, value]) => `    ${field}: ${JSON.stringify(value)}`),
    '    rules:',
    ...rules.map((rule) => `      - ${JSON.stringify(rule)}`),
    '',
  ].join('\n');
}
