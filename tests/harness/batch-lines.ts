/** A batch that is sent line by line, both ways at once, as slowly as a test likes. */
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { createInterface } from "node:readline";
import { cleanUpLater } from "./running.ts";

export interface LineResult {
  readonly status: number;
  readonly revision?: string;
  readonly location?: string;
  readonly value?: string;
  readonly replayed?: true;
  readonly problem?: { readonly type: string; readonly status: number; readonly detail?: string };
}

export interface LineBatch {
  readonly outgoing: ClientRequest;
  /** Sends an item, or a line as it is. Resolves when the connection has taken it. */
  send(item: object | string): Promise<void>;
  end(): void;
  /** Settles when the answer begins. */
  readonly answer: Promise<IncomingMessage>;
  /** Each once; waits for the answer. */
  results(): AsyncGenerator<LineResult>;
}

export function openLineBatch(url: string, namespace: string, headers: Record<string, string> = {}): LineBatch {
  const outgoing = request(`${url}/v1/batch/${namespace}`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", ...headers },
  });
  outgoing.on("error", () => undefined);
  outgoing.flushHeaders();
  cleanUpLater(() => void outgoing.destroy());
  const answer = once(outgoing, "response").then(([incoming]) => incoming as IncomingMessage);
  answer.catch(() => undefined);
  return {
    outgoing,
    answer,
    send: async (item) => {
      const line = typeof item === "string" ? item : JSON.stringify(item);
      await new Promise<void>((resolve) => {
        if (outgoing.write(`${line}\n`, () => resolve())) resolve();
      });
    },
    end: () => void outgoing.end(),
    results: async function* () {
      for await (const line of createInterface(await answer)) yield JSON.parse(line) as LineResult;
    },
  };
}
