import type { KubeClient } from '../kube/api/client.ts';

/** Who an API takes us for: its own word, whatever a kubeconfig or a person claims. Rejects with ApiError when it cannot be asked. */
export async function userOf(client: KubeClient, timeoutMs: number): Promise<string> {
  const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const answer = await client.request<Review>({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: kind,
    timeoutMs,
  });
  const { username } = answer?.status?.userInfo ?? {};
  if (typeof username !== 'string' || username === '') throw new Error('the API does not say who we are');
  return username;
}

interface Review {
  readonly status?: { readonly userInfo?: { readonly username?: unknown } };
}
