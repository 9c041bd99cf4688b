/** Where the addresses of a country begin; they end where the next range begins. `country` is absent where nobody announces them. */
export interface CountryRange {
  readonly start: number;
  readonly country: string | undefined;
}

/** The countries of all addresses, in order, from 0 on. Neighbours differ in their country. */
export interface CountryRanges {
  /** Starts are whole addresses. */
  readonly ipv4: readonly CountryRange[];
  /** Starts are the first 48 bits of an address; longer prefixes are left out, because no router of the Internet takes them. */
  readonly ipv6: readonly CountryRange[];
  /** When the data was made, in seconds since the epoch; absent where it does not say. */
  readonly builtSeconds?: number;
}
