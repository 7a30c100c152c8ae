/**
 * `POST /v1/batch/{namespace}`: many writes, each with its own result. As one JSON document, or line by line (NDJSON), of
 * any length: results are sent while lines still come.
 */
import { z } from "zod";
import { GRADES } from "../../core/grade.ts";
import {
  BATCH_BODY_MAX_BYTES,
  BATCH_ITEMS_MAX,
  BATCH_LINE_MAX_BYTES,
  BATCH_WINDOW_MAX_BYTES,
  BATCH_WINDOW_MAX_ITEMS,
} from "../../core/limits.ts";
import { Batch } from "../batch.ts";
import { batchItemSchema } from "../batch-item.ts";
import { BATCH_PREFIX } from "../batch-path.ts";
import { collect, VALUE_BOUND } from "../body.ts";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import { type Answer, type Handler, type Incoming, jsonAnswer } from "../exchange.ts";
import { parseIdempotencyKey } from "../idempotency.ts";
import { parseJsonText } from "../json-body.ts";
import { elementTextsOf, memberText } from "../json-texts.ts";
import { parseNamespace } from "../key-path.ts";
import { type Line, LineSplitter } from "../line-splitter.ts";
import { JSON_TYPE, mediaTypeOf } from "../media-type.ts";
import { describeRoute } from "../openapi/description.ts";
import { keyParameters, revisionSchema } from "../openapi/parameters.ts";
import { NO_QUERY } from "../query.ts";
import { ResultWindow } from "../result-window.ts";
import { splitTarget } from "../target.ts";
import { originOf } from "../write.ts";
import { ACCEPT_HEADERS } from "../write-description.ts";

const LINES_TYPE = "application/x-ndjson";

const BODY_BOUND = {
  maxBytes: BATCH_BODY_MAX_BYTES,
  problem: () => tooLarge(`A JSON document has at most ${BATCH_BODY_MAX_BYTES} bytes`),
};

const resultSchema = z
  .strictObject({
    status: z.int().describe("As a write of its own is answered."),
    revision: revisionSchema.optional().describe("Of the command; absent where none was accepted."),
    grade: z.enum(GRADES).optional(),
    location: z.string().optional(),
    value: z.string().optional().describe("A counter's new value."),
    replayed: z.literal(true).optional().describe("It was a repeat, by its idempotency key."),
    problem: z.looseObject({ type: z.string(), title: z.string(), status: z.int() }).optional(),
  })
  .meta({ id: "ItemResult" });

const batchSchema = z.union([z.array(batchItemSchema), z.strictObject({ operations: z.array(batchItemSchema) })]);

export const writeBatchRoute = describeRoute({
  operationId: "writeBatch",
  tag: "values",
  method: "POST",
  path: `${BATCH_PREFIX}{namespace}`,
  summary: "Many writes, each with a result of its own",
  description:
    `As one JSON document of at most ${BATCH_ITEMS_MAX} operations, or line by line (NDJSON) without an end: results are sent while ` +
    "lines still come. What fails of one is told in its place, and the others go on. Operations are in the log in the order given.",
  parameters: { namespace: keyParameters.namespace },
  query: NO_QUERY,
  headers: ["IdempotencyKey", ...ACCEPT_HEADERS],
  body: { description: "The operations.", content: { [JSON_TYPE]: batchSchema, [LINES_TYPE]: null } },
  answers: {
    200: {
      description: "The results, in the order of the operations.",
      headers: ["Cache-Control", "Preference-Applied"],
      content: { [JSON_TYPE]: z.strictObject({ results: z.array(resultSchema) }), [LINES_TYPE]: null },
    },
  },
  problems: [
    "invalid-namespace",
    "settings-unknown",
    "invalid-grade",
    "grade-unavailable",
    "invalid-idempotency-key",
    "invalid-body",
    "invalid-batch",
    "invalid-operation",
    "batch-too-large",
    "unsupported-media-type",
  ],
});

export function writeBatch(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { path, query } = splitTarget(incoming.target);
    const namespace = parseNamespace(path.slice(BATCH_PREFIX.length));
    writeBatchRoute.query.read(query);
    await deps.namespaces.untilKnown();
    const origin = originOf(deps, incoming, namespace, caller.name);
    const idempotencyKey = parseIdempotencyKey(incoming.header("idempotency-key"));
    const requestId = deps.requestIds.of(incoming);
    const batch = new Batch({ deps, origin, namespace, caller, idempotencyKey, requestId });
    const answer = await answerBatch(incoming, batch);
    if (origin.preference.applied !== "") answer.headers["Preference-Applied"] = origin.preference.applied;
    return answer;
  };
}

async function answerBatch(incoming: Incoming, batch: Batch): Promise<Answer> {
  switch (mediaTypeOf(incoming.header("content-type"))) {
    case JSON_TYPE:
      return jsonAnswer({ results: await writeDocument(incoming, batch) });
    case LINES_TYPE: {
      const { status, headers } = jsonAnswer(null);
      return { status, headers: { ...headers, "Content-Type": LINES_TYPE }, body: writeLines(incoming, batch) };
    }
    default:
      throw new ProblemError("unsupported-media-type", `Send ${JSON_TYPE} or ${LINES_TYPE}.`);
  }
}

/** All at once: results in the order of the items. */
async function writeDocument(incoming: Incoming, batch: Batch): Promise<unknown[]> {
  const bytes = await collect(incoming.chunks(), incoming.header("content-length"), BODY_BOUND);
  const { text, document } = parseJsonText(bytes, "invalid-batch");
  const items = itemsIn(document);
  if (items.length > BATCH_ITEMS_MAX) throw tooLarge(`A JSON document has at most ${BATCH_ITEMS_MAX} operations`);
  const textOf = elementTextsOf(() => (Array.isArray(document) ? text : (memberText(text, "operations") ?? "")));
  return Promise.all(
    items.map((item, place) =>
      batch.add(
        () => item,
        () => textOf(place),
      ),
    ),
  );
}

function itemsIn(document: unknown): readonly unknown[] {
  if (Array.isArray(document)) return document;
  const { operations, ...rest } = Object(document) as Record<string, unknown>;
  if (Array.isArray(operations) && Object.keys(rest).length === 0) return operations;
  throw new ProblemError("invalid-batch", 'Expected an array of operations, or {"operations":[…]}.');
}

/** Line after line, as they come; what is not taken of the results stops the reading. */
function writeLines(incoming: Incoming, batch: Batch): ReadableStream<Uint8Array> {
  const window = new ResultWindow({ items: BATCH_WINDOW_MAX_ITEMS, bytes: BATCH_WINDOW_MAX_BYTES });
  const encoder = new TextEncoder();
  readLines(incoming, batch, window).then(
    () => window.end(),
    (error: unknown) => window.end(error instanceof Error ? error : new Error(String(error))),
  );
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const results = await window.take();
        if (results === null) controller.close();
        else controller.enqueue(encoder.encode(results.join("")));
      },
      cancel: () => window.abandon(),
    },
    { highWaterMark: 0 },
  );
}

async function readLines(incoming: Incoming, batch: Batch, window: ResultWindow): Promise<void> {
  const splitter = new LineSplitter(BATCH_LINE_MAX_BYTES);
  const write = async (lines: Iterable<Line>): Promise<void> => {
    for (const line of lines) {
      const bytes = line?.byteLength ?? 0;
      while (window.full(bytes)) await window.room();
      if (window.abandoned) return;
      window.add(bytes, writeLine(batch, line));
    }
  };
  for await (const chunk of incoming.chunks()) {
    await write(splitter.push(chunk));
    if (window.abandoned) return;
  }
  await write(splitter.end());
}

async function writeLine(batch: Batch, line: Line): Promise<string> {
  let text = "";
  const result = await batch.add(
    () => {
      if (line === null) throw VALUE_BOUND.problem();
      const parsed = parseJsonText(line, "invalid-operation");
      text = parsed.text;
      return parsed.document;
    },
    () => text,
  );
  return `${JSON.stringify(result)}\n`;
}

function tooLarge(detail: string): ProblemError {
  return new ProblemError("batch-too-large", `${detail}; ${LINES_TYPE} has no end.`);
}
