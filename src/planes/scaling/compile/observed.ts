/** The replicas of a target as its cluster has them. */
export type Observed =
  | {
      readonly state: 'read';
      readonly ready: number;
      /** The bounds of its autoscaler; absent where the target names its Deployment itself. */
      readonly autoscaler?: { readonly min: number; readonly max: number };
      /** What the autoscaler scales. */
      readonly scales?: { readonly kind: string; readonly name: string };
    }
  | { readonly state: 'unread'; readonly why: string };
