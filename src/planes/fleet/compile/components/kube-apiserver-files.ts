import type { ServerContext } from '../context.ts';
import { authenticationApi } from '../versions.ts';

/** What the API server believes of whom. Anonymous requests reach the health endpoints only, which the announcer of the VIP asks. */
export const authentication = ({ fleet }: ServerContext) => ({
  apiVersion: authenticationApi(fleet.versions.kubernetes),
  kind: 'AuthenticationConfiguration',
  anonymous: { enabled: true, conditions: ['/healthz', '/livez', '/readyz'].map((path) => ({ path })) },
});

/** Namespaces that choose no Pod Security Standard get that of the Fleet; a namespace may write so many events and no more. */
export const admission = ({ fleet }: ServerContext) => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AdmissionConfiguration',
  plugins: [
    {
      name: 'EventRateLimit',
      configuration: {
        apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1',
        kind: 'Configuration',
        limits: [{ type: 'Namespace', qps: 50, burst: 100, cacheSize: 2000 }],
      },
    },
    {
      name: 'PodSecurity',
      configuration: {
        apiVersion: 'pod-security.admission.config.k8s.io/v1',
        kind: 'PodSecurityConfiguration',
        defaults: podSecurity(fleet.admission.podSecurity),
        exemptions: { namespaces: ['kube-system'], runtimeClasses: [], usernames: [] },
      },
    },
  ],
});

const podSecurity = (level: string) =>
  Object.fromEntries(
    ['enforce', 'audit', 'warn'].flatMap((mode) => [
      [mode, level],
      [`${mode}-version`, 'latest'],
    ]),
  );

const noise = (users: readonly string[], resources: readonly object[]) => ({
  level: 'None',
  users,
  verbs: ['get', 'list', 'watch'],
  resources,
});

/**
 * Secrets, tokens and ConfigMaps are logged without their content, reads without content, changes with it. The first rule that
 * matches counts.
 */
export const audit = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version', '/openapi/*'] },
    noise(['system:kube-proxy'], [{ group: '', resources: ['endpoints', 'services'] }, { group: 'discovery.k8s.io' }]),
    {
      level: 'None',
      users: ['system:kube-controller-manager', 'system:kube-scheduler'],
      resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }],
    },
    {
      level: 'None',
      userGroups: ['system:nodes'],
      resources: [
        { group: 'coordination.k8s.io', resources: ['leases'] },
        { group: '', resources: ['nodes/status', 'events'] },
      ],
    },
    {
      level: 'Metadata',
      resources: [
        { group: '', resources: ['secrets', 'configmaps', 'serviceaccounts/token'] },
        { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
      ],
    },
    { level: 'Metadata', verbs: ['get', 'list', 'watch'] },
    { level: 'Request', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] },
    { level: 'Metadata' },
  ],
};
