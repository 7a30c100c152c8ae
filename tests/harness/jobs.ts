/** Jobs, as `/v1/jobs` tells them. */
import type { Answer, HttpClient } from "./http.ts";
import { JSON_BODY } from "./settings.ts";

export interface JobView {
  readonly id: string;
  readonly type: string;
  readonly parameters: Record<string, unknown>;
  readonly state: string;
  readonly progress: {
    readonly deleted?: number;
    readonly kept?: number;
    readonly failed?: number;
    readonly partitions?: Record<string, { readonly after: string | null; readonly done: boolean }>;
  };
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly runner: string | null;
  readonly reason: string | null;
}

export const jobOf = ({ text }: Answer): JobView => JSON.parse(text) as JobView;

export async function startDelete(client: HttpClient, namespace: string, prefix = ""): Promise<JobView> {
  const body = JSON.stringify({ type: "delete", namespace, prefix });
  const answer = await client.send("POST", "/v1/jobs", { headers: JSON_BODY, body });
  if (answer.status !== 202) throw new Error(`${answer.status} ${answer.text}`);
  return jobOf(answer);
}

export async function readJob(client: HttpClient, id: string, waitS = 0): Promise<JobView> {
  const answer = await client.send("GET", `/v1/jobs/${id}?wait=${waitS}`, { timeoutMs: (waitS + 10) * 1000 });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return jobOf(answer);
}

/** Waits until it is finished. */
export async function finished(client: HttpClient, id: string): Promise<JobView> {
  for (let looks = 0; looks < 4; looks += 1) {
    const job = await readJob(client, id, 30);
    if (job.finishedAt !== null) return job;
  }
  throw new Error(`job ${id} does not end`);
}
