import { authorityFiles } from './certificates.ts';
import { jsonText } from './text.ts';

/** A kubeconfig with one user, whose certificate and key lie in `folder`. */
export function kubeconfig(url: string, folder: string, name = 'client'): string {
  return jsonText({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'default', cluster: { server: url, 'certificate-authority': authorityFiles.kubernetes } }],
    users: [
      {
        name: 'default',
        user: { 'client-certificate': `${folder}/${name}.crt`, 'client-key': `${folder}/${name}.key` },
      },
    ],
    contexts: [{ name: 'default', context: { cluster: 'default', user: 'default' } }],
    'current-context': 'default',
  });
}
