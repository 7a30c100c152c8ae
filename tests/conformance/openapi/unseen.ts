/**
 * What stands in the OpenAPI document and cannot be provoked over HTTP alone, each with its reason. It is shown where
 * Redis and processes can be killed, frozen and filled: tests/e2e and tests/faults.
 */
export interface Unseen {
  /** Which operations: method and path template. */
  readonly operation: RegExp;
  readonly status: string;
  readonly reason: string;
}

export const UNSEEN: readonly Unseen[] = [
  { operation: /./, status: "500", reason: "a mistake of ours: a test that can provoke one has found one" },
  { operation: /./, status: "503", reason: "log or store away, halted, full: takes a Redis that is down or full" },
  { operation: /./, status: "429", reason: "takes a server with small limits: tests/e2e sets them" },
  { operation: /./, status: "401", reason: "takes a server with tokens: the matrix of authorization has one" },
  { operation: /./, status: "403", reason: "takes a server with tokens: the matrix of authorization has one" },
  { operation: /./, status: "408", reason: "takes a client that is slower than 10 s" },
  { operation: /./, status: "431", reason: "is answered before there is a request that could belong to an operation" },
  {
    operation: /\/v1\/kv\//,
    status: "422",
    reason: "a command that dies takes a store that somebody else has written to",
  },
  {
    operation: /\/v1\/(namespaces\/|jobs)/,
    status: "422",
    reason: "a command that dies takes a store that somebody else has written to",
  },
  { operation: /^PUT \/v1\/namespaces\//, status: "200", reason: "takes a broadcast that is lost" },
  { operation: /^PATCH \/v1\/namespaces\//, status: "202", reason: "takes consumers that are away for seconds" },
  { operation: /^(GET|HEAD) \/v1\/commands\//, status: "410", reason: "takes a log that was trimmed" },
  { operation: /^(GET|HEAD) \/v1\/watch\//, status: "410", reason: "takes a log that was trimmed" },
  { operation: /^(GET|HEAD|DELETE|POST) \/v1\/dead-letters\/\{/, status: "200", reason: "takes a dead letter" },
  { operation: /^(DELETE|POST) \/v1\/dead-letters\/\{/, status: "201", reason: "takes a dead letter" },
  { operation: /^(DELETE|POST) \/v1\/dead-letters\/\{/, status: "202", reason: "takes a dead letter" },
  { operation: /^(DELETE|POST) \/v1\/dead-letters\/\{/, status: "204", reason: "takes a dead letter" },
  { operation: /^(DELETE|POST) \/v1\/dead-letters\/\{/, status: "409", reason: "takes a dead letter" },
  { operation: /^(DELETE|POST) \/v1\/dead-letters\/\{/, status: "412", reason: "takes a dead letter" },
  { operation: /^(DELETE|POST) \/v1\/dead-letters\/\{/, status: "422", reason: "takes a dead letter" },
  { operation: /^(GET|HEAD|DELETE|POST) \/v1\/dead-letters\/\{/, status: "410", reason: "takes a dead letter" },
  { operation: /^DELETE \/v1\/dead-letters$/, status: "202", reason: "takes a dead letter" },
  { operation: /^POST \/v1\/dead-letters\/replay$/, status: "202", reason: "takes a dead letter" },
  { operation: /^(PUT|PATCH|DELETE) \/v1\/kv\//, status: "200", reason: "takes a broadcast that is lost" },
  { operation: /\/accept-loss$/, status: "200", reason: "takes a partition that has lost its base" },
];
