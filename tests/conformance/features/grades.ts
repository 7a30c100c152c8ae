import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isAccepted, isProblem, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

export const grades = feature(
  "grades",
  "an accepted write names its grade, and a grade asked for is given or refused",
  {
    "every log gives memory": async ({ namespace, put, newKey }) => {
      const answer = await put(namespace, newKey(), "v", { headers: { "millrace-grade": "memory" } });
      isAccepted(answer);
      hasHeaders(answer, { "millrace-grade": "memory" });
    },

    ...each(
      ["replicated", "disk"],
      (grade) => `${grade} is reached, or refused before anything is accepted`,
      async ({ namespace, put, get, newKey }, grade) => {
        const key = newKey();
        const answer = await put(namespace, key, "v", { headers: { "millrace-grade": grade, ...WAIT } });
        if (answer.status === 400) {
          isProblem(answer, 400, "grade-unavailable");
          isProblem(await get(namespace, key), 404, "key-not-found");
          return;
        }
        hasStatus(answer, 201);
        hasHeaders(answer, { "millrace-grade": grade });
      },
    ),

    "the answer to who waits names the grade too, whatever it is": async ({ namespace, put, newKey }) => {
      const answer = await put(namespace, newKey(), "v", { headers: WAIT });
      assert.match(String(answer.headers["millrace-grade"]), /^(memory|replicated|disk)$/);
    },

    ...each(
      ["paper", "", "Memory", "memory, disk"],
      (grade) => `${JSON.stringify(grade)} is no grade`,
      async ({ namespace, put, newKey }, grade) => {
        const answer = await put(namespace, newKey(), "v", { headers: { "millrace-grade": grade } });
        isProblem(answer, 400, "invalid-grade");
      },
    ),
  },
);
