import { z } from 'zod';
import { text } from '../fields.ts';

export const artifactNames = [
  'etcd',
  'etcdctl',
  'etcdutl',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'kubelet',
  'kube-proxy',
  'containerd',
  'runc',
  'cni-plugins',
  'calico-cni',
  'calico-felix',
  'tideline',
] as const;
export type ArtifactName = (typeof artifactNames)[number];

/** A version as the field writes it: `1.36.3`, without a `v` in front. */
export const Version = z
  .string()
  .max(63)
  .regex(
    /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/,
    'a version of three numbers, e.g. 1.36.3, without a `v` in front',
  );

export const ReleaseSpec = z
  .strictObject({
    artifacts: z
      .array(
        z.strictObject({
          name: z.enum(artifactNames).describe('What it is.'),
          version: Version.describe('Its version.'),
          source: text(1024).describe(
            'Where servers get it: a URL, or `salt://` and a path of the file server of Salt.',
          ),
          sha256: z
            .string()
            .regex(/^[0-9a-f]{64}$/, 'a SHA-256 of 64 digits in lower case')
            .describe('What the file must have; another file is not installed.'),
          package: z
            .enum(['file', 'tar', 'deb'])
            .default('file')
            .describe(
              '`file`: the program itself; `tar`: an archive with programs at its top (containerd with its shim, the plugins of CNI, tideline); `deb`: a Debian package (tideline).',
            ),
        }),
      )
      .min(1)
      .max(128)
      .describe('Every file that servers install; no two have one name and version.'),
  })
  .describe(
    'Files that servers install, with their checksums, so that a site without the Internet can carry them. It is read from files only.',
  );
