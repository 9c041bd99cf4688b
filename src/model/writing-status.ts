/** Which worker writes the status of the spec in the API of a cluster without an edge pool. */
export interface WritingView {
  readonly leading: boolean;
  readonly holder?: string;
  readonly transitions?: number;
  readonly error?: string;
  /** False also of a leader while the cluster has an edge pool, whose blades write then, or while that is not known. */
  readonly writes: boolean;
  readonly problem?: string;
}
