import { withoutUndefined } from '../../model/values.ts';
import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { recordOf, shape, text } from '../objects/pick.ts';

export interface Secret extends KubernetesObject<'Secret'> {
  readonly type?: string;
  /** Base64, as the API gives it. */
  readonly data?: Readonly<Record<string, string>>;
}

export const secret: KindFacts<Secret> = {
  kind: 'Secret',
  apiVersions: ['v1'],
  plural: 'secrets',
  namespaced: true,
  body: (value) => certificateOf(written(value)),
};

/** A Secret as it stands in a manifest. */
interface Written extends Body<Secret> {
  /** Plain text instead of base64; it takes precedence over `data`. */
  readonly stringData?: Readonly<Record<string, string>>;
}

const written = shape<Written>({ type: text, data: recordOf(text), stringData: recordOf(text) });

const certificateKeys = ['tls.crt', 'tls.key', 'ca.crt'];

/** Keeps of a Secret only the keys of a certificate: other contents never enter the state or the snapshot on disk. */
function certificateOf({ type, data: encoded, stringData }: Written): Body<Secret> {
  const data: Record<string, string> = {};
  for (const key of certificateKeys) {
    const plain = stringData?.[key];
    const kept = plain === undefined ? encoded?.[key] : Buffer.from(plain).toString('base64');
    if (kept !== undefined) data[key] = kept;
  }
  return { data, ...withoutUndefined({ type }) };
}
