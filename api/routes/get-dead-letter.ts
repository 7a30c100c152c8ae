/** `GET /v1/dead-letters/{id}`: all of a dead letter. A long value is shown only in its first part. */
import { commandOfLetter } from "../../core/dead-letter.ts";
import { LETTER_VALUE_SHOWN_MAX_BYTES } from "../../core/limits.ts";
import { LETTER_PROBLEMS, readLetter } from "../dead-letter-path.ts";
import { describeLetter, LETTERS_PATH } from "../dead-letters.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, jsonAnswer } from "../exchange.ts";
import { wholeLetterSchema } from "../letter-schemas.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { commandParameters } from "../openapi/parameters.ts";
import { NO_QUERY } from "../query.ts";
import { splitTarget } from "../target.ts";
import { base64Of, textOf } from "../value-text.ts";

export const getDeadLetterRoute = describeRoute({
  operationId: "getDeadLetter",
  tag: "dead letters",
  method: "GET",
  path: `${LETTERS_PATH}/{id}`,
  summary: "All of a dead letter, with its value",
  parameters: commandParameters,
  query: NO_QUERY,
  answers: { 200: jsonDocument("The dead letter.", wholeLetterSchema) },
  problems: LETTER_PROBLEMS,
});

export function getDeadLetter(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { path, query } = splitTarget(incoming.target);
    getDeadLetterRoute.query.read(query);
    const { partition, letter, value } = await readLetter(deps, path, caller);
    const command = commandOfLetter(letter);
    return jsonAnswer({ ...describeLetter({ partition, letter, command }), header: letter.header, value: show(value) });
  };
}

function show(value: Uint8Array): Record<string, unknown> {
  const shown = value.subarray(0, LETTER_VALUE_SHOWN_MAX_BYTES);
  const truncated = shown.byteLength < value.byteLength;
  const text = textOf(shown, truncated);
  return text === null
    ? { encoding: "base64", data: base64Of(shown), truncated }
    : { encoding: "text", data: text, truncated };
}
