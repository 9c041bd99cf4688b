/** The application of the lab: one Deployment `web` in namespace `video`, one host. */
export const application = {
  namespace: 'video',
  name: 'web',
  host: 'www.video.example',
  policy: 'video',
  podPort: 8080,
  tlsSecret: 'www-video-example-tls',
} as const;
