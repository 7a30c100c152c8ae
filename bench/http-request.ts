const ANSWER_WITHIN_MS = 5_000;

/** One request with a bound in time. @throws when the status is not the one expected. */
export async function request(url: string, expectedStatus: number, init: RequestInit = {}): Promise<Buffer> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status === expectedStatus) return body;
  throw new Error(
    `${init.method ?? "GET"} ${url}: ${response.status} instead of ${expectedStatus}: ${body.toString()}`,
  );
}
