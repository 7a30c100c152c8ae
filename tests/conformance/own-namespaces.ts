/** Namespaces of a check's own, which may get settings: whatever was made of them is removed when it is over. */
import type { Answer } from "../harness/http.ts";
import { hasStatus, jsonOf } from "./assertions.ts";
import type { Subject } from "./subject.ts";

export const JSON_TYPE = { "content-type": "application/json" } as const;
export const MERGE_PATCH_TYPE = { "content-type": "application/merge-patch+json" } as const;

/** Beyond what is waited for, an answer takes its way. */
const ANSWER_MS = 15_000;

let namespaces = 0;

/** Runs a check with a namespace that nobody has used, and deletes it with its settings, whatever becomes of the check. */
export async function inNamespace<T>(
  subject: Subject,
  check: (namespace: string) => Promise<T>,
  { pinned = false } = {},
): Promise<T> {
  namespaces += 1;
  const namespace = `${pinned ? "@" : ""}${subject.namespace}.${namespaces}`;
  try {
    return await check(namespace);
  } finally {
    await finished(subject, await subject.send("DELETE", settingsPath(namespace)));
  }
}

export function settingsPath(namespace: string): string {
  return `/v1/namespaces/${namespace}`;
}

export function putSettings(
  { send }: Subject,
  namespace: string,
  settings: unknown,
  headers: Record<string, string> = { prefer: "wait=10" },
): Promise<Answer> {
  const body = JSON.stringify(settings);
  return send("PUT", settingsPath(namespace), { headers: { ...JSON_TYPE, ...headers }, body });
}

export function patchSettings(
  { send }: Subject,
  namespace: string,
  change: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = JSON.stringify(change);
  return send("PATCH", settingsPath(namespace), { headers: { ...MERGE_PATCH_TYPE, ...headers }, body });
}

/** The settings of a namespace, as it tells them. */
export async function settingsOf({ send }: Subject, namespace: string): Promise<unknown> {
  const answer = await send("GET", settingsPath(namespace));
  hasStatus(answer, 200);
  return jsonOf(answer).settings;
}

export function postJob(
  { send }: Subject,
  job: Readonly<Record<string, unknown>>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return send("POST", "/v1/jobs", { headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(job) });
}

/** Waits until the job that an answer says was made is finished, and returns it. */
export async function finished({ send }: Subject, made: Answer): Promise<Record<string, unknown>> {
  hasStatus(made, 202);
  for (let looks = 0; ; looks += 1) {
    const answer = await send("GET", `${made.headers.location}?wait=10`, { timeoutMs: 10_000 + ANSWER_MS });
    hasStatus(answer, 200);
    const job = jsonOf(answer);
    if (job.finishedAt !== null) return job;
    if (looks === 3) throw new Error(`the job does not end: ${answer.text}`);
  }
}

/** All that a list tells, page by page: `items` is the member that holds it, `end` the one that says whether that was all. */
async function listed({ send }: Subject, path: string, items: string, end: string, limit: number): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const from: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await send("GET", `${path}?limit=${limit}${from}`);
    hasStatus(answer, 200);
    const page = jsonOf(answer);
    const here = page[items] as readonly unknown[];
    if (here.length > limit || page[end] !== (page.cursor === null)) throw new Error(`no page: ${answer.text}`);
    found.push(...here);
    cursor = page.cursor as string | null;
  }
  return found;
}

interface Told {
  readonly [member: string]: unknown;
}

/** @param limit how many a page has at most */
export async function namespacesOf(subject: Subject, limit: number): Promise<Told[]> {
  return (await listed(subject, "/v1/namespaces", "namespaces", "complete", limit)) as Told[];
}

export async function jobsOf(subject: Subject): Promise<Told[]> {
  return (await listed(subject, "/v1/jobs", "jobs", "complete", 250)) as Told[];
}

/** The keys of a namespace, in the order of their list. */
export async function keysOf(subject: Subject, namespace: string): Promise<unknown[]> {
  const keys = (await listed(subject, `/v1/kv/${namespace}`, "keys", "list_complete", 1000)) as Told[];
  return keys.map(({ key }) => key);
}
