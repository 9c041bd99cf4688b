/** Why a change that a person asked for is refused, as far as the spec and the agents tell. */
export const observeReasons = {
  LeavesVip: 'A VIP would be left without a blade that can serve it.',
  LeavesCountries: 'Users of some countries would be left without a cluster in service.',
} as const;

export type ObserveReason = keyof typeof observeReasons;
