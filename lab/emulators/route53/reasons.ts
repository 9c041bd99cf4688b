/**
 * The named refusals of the emulator: the API's own error codes with their HTTP status, as Route 53 documents them. The
 * SDK turns them into exceptions of the same name. There is no code of the emulator's own: what is not emulated is an
 * InvalidInput whose message says "not emulated".
 */
export const errorStatus = {
  /** A field, value or parameter is wrong, unknown or not emulated; the message names it. */
  InvalidInput: 400,
  /** One or more changes of a batch break a rule; nothing of the batch was done. There is one message for each broken rule. */
  InvalidChangeBatch: 400,
  InvalidDomainName: 400,
  /** The previous change of the zone is still PENDING. */
  PriorRequestNotComplete: 400,
  /** A token bucket is empty. The status is 400 and not 429, as Route 53 has it. */
  Throttling: 400,
  NoSuchHostedZone: 404,
  NoSuchHealthCheck: 404,
  NoSuchChange: 404,
  HostedZoneAlreadyExists: 409,
  HealthCheckAlreadyExists: 409,
  HealthCheckVersionMismatch: 409,
  /** The account has as many health checks as its quota allows. */
  TooManyHealthChecks: 400,
  /** The account has as many hosted zones as its quota allows. */
  TooManyHostedZones: 400,
  /** A name or caller reference of a CIDR collection that another has. */
  CidrCollectionAlreadyExistsException: 400,
  /** A CIDR collection that is to be deleted has blocks, or a record uses it. */
  CidrCollectionInUseException: 400,
  /** A CIDR block is in another location, or is the last one of a location that a record uses. */
  CidrBlockInUseException: 400,
  CidrCollectionVersionMismatchException: 409,
  NoSuchCidrCollectionException: 404,
  NoSuchCidrLocationException: 404,
  /** More CIDR collections, or blocks in one, than Route 53 allows. */
  LimitsExceeded: 400,
  /** The header `Authorization: AWS4-HMAC-SHA256 ...` is missing. Its signature is not verified. */
  MissingAuthenticationToken: 403,
  /** The body is not well-formed XML, or not the element that the operation takes. */
  MalformedInput: 400,
  InternalFailure: 500,
  /** The control plane is out of order, because a test or a fault of the lab wants it so; DNS and health checks go on. */
  ServiceUnavailable: 503,
} as const;

export type ErrorCode = keyof typeof errorStatus;

/** Thrown when a request is refused. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly messages: readonly string[];
  constructor(code: ErrorCode, messages: string | readonly string[]) {
    const list = typeof messages === 'string' ? [messages] : messages;
    super(list.join('; '));
    this.name = code;
    this.code = code;
    this.messages = list;
  }
}

export function invalidInput(message: string): ApiError {
  return new ApiError('InvalidInput', message);
}
