/**
 * The named refusals of the emulator: the API's own error codes with their HTTP status, as Route 53 documents them. The
 * SDK turns them into exceptions of the same name. `Emulator*` does not exist: what is not emulated is an InvalidInput
 * whose message says "not emulated".
 */
export const errorStatus = {
  /** A field, value or parameter is wrong, unknown or not emulated; the message names it. */
  InvalidInput: 400,
  /** One or more changes of a batch break a rule; nothing of the batch was done. One message per broken rule. */
  InvalidChangeBatch: 400,
  InvalidDomainName: 400,
  /** The previous change of the zone is still PENDING. */
  PriorRequestNotComplete: 400,
  /** A token bucket is empty. 400, not 429: that is what Route 53 does. */
  Throttling: 400,
  NoSuchHostedZone: 404,
  NoSuchHealthCheck: 404,
  NoSuchChange: 404,
  HostedZoneAlreadyExists: 409,
  HealthCheckAlreadyExists: 409,
  HealthCheckVersionMismatch: 409,
  /** No `Authorization: AWS4-HMAC-SHA256 ...` header. Its signature is not verified. */
  MissingAuthenticationToken: 403,
  /** The body is not well-formed XML, or not the element that the operation takes. */
  MalformedInput: 400,
  InternalFailure: 500,
} as const;

export type ErrorCode = keyof typeof errorStatus;

/** A request that is refused. */
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
