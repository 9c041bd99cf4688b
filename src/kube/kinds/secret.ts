import { mostPairKiB } from '../../model/contract.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { recordOf, shape, text, whole } from '../objects/pick.ts';

export interface Secret extends KubernetesObject<'Secret'> {
  readonly type?: string;
  /** Base64, as the API gives it. Empty when the pair is longer than `mostPairBytes`. */
  readonly data?: Readonly<Record<string, string>>;
  /** How many bytes the pair had that is not kept because it is longer than `mostPairBytes`. */
  readonly droppedBytes?: number;
}

export const secret: KindFacts<Secret> = {
  kind: 'Secret',
  apiVersions: ['v1'],
  plural: 'secrets',
  namespaced: true,
  body: (value) => certificateOf(written(value)),
  marker: ({ type }) => withoutUndefined({ type }),
};

/**
 * The longest certificate and key that are kept. What is longer is refused by every pool, so it would only fill the memory of the
 * agent and its snapshot, as often as tenants write it.
 */
export const mostPairBytes = mostPairKiB * 1024;

/** A Secret as it stands in a manifest or in a snapshot. */
interface Written extends Body<Secret> {
  /** Plain text instead of base64; it takes precedence over `data`. */
  readonly stringData?: Readonly<Record<string, string>>;
}

const written = shape<Written>({ type: text, data: recordOf(text), stringData: recordOf(text), droppedBytes: whole });

const certificateKeys = ['tls.crt', 'tls.key'];

/** Keeps of a Secret only the keys of a certificate: other contents never enter the state or the snapshot on disk. */
function certificateOf({ type, data: encoded, stringData, droppedBytes }: Written): Body<Secret> {
  if (droppedBytes !== undefined) return { data: {}, droppedBytes, ...withoutUndefined({ type }) };
  const data: Record<string, string> = {};
  for (const key of certificateKeys) {
    const plain = stringData?.[key];
    const kept = plain === undefined ? encoded?.[key] : Buffer.from(plain).toString('base64');
    if (kept !== undefined) data[key] = kept;
  }
  const bytes = pairBytesOf(data);
  const pair = bytes > mostPairBytes ? { data: {}, droppedBytes: bytes } : { data };
  return { ...pair, ...withoutUndefined({ type }) };
}

/** The bytes that the base64 of a certificate and its key stands for. */
function pairBytesOf(data: Readonly<Record<string, string>>): number {
  return Object.values(data).reduce((sum, part) => sum + Buffer.byteLength(part, 'base64'), 0);
}

/** How long the certificate and key of a Secret are, whether they are kept or not. */
export function pairLengthOf({ data = {}, droppedBytes }: Secret): number {
  return droppedBytes ?? pairBytesOf(data);
}
