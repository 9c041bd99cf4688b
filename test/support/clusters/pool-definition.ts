import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

const root = join(import.meta.dirname, '../../..');

/** The objects of a YAML file of this repository. */
export async function objectsOf(file: string): Promise<readonly object[]> {
  return parseAllDocuments(await readFile(join(root, file), 'utf8')).map((document) => document.toJS() as object);
}

/** Our definition of the EdgePool, whose status has the field `addresses` or not. */
export async function poolDefinition(addresses: boolean): Promise<object> {
  const [crd] = (await objectsOf('deploy/crds/edgepools.yaml')) as Crd[];
  const properties = crd?.spec.versions[0]?.schema.openAPIV3Schema.properties.status.properties;
  if (crd === undefined || properties === undefined) throw new Error('the definition has another form');
  const text = { type: 'string' };
  properties['addresses'] ??= {
    type: 'array',
    items: { type: 'object', required: ['value'], properties: { type: text, value: text } },
  };
  for (const list of ['vipList', 'addressList']) properties[list] ??= text;
  if (!addresses) delete properties['addresses'];
  return crd;
}

interface Crd {
  readonly spec: {
    readonly versions: readonly {
      readonly schema: {
        readonly openAPIV3Schema: {
          readonly properties: { readonly status: { readonly properties: Record<string, object> } };
        };
      };
    }[];
  };
}

/** An EdgePool as the API server answers it, as far as tests read it. */
export interface PoolWithStatus {
  readonly metadata: { readonly resourceVersion: string; readonly generation: number };
  readonly status?: {
    readonly addresses: readonly object[];
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
      readonly observedGeneration?: number;
      readonly lastTransitionTime: string;
    }[];
  };
}
