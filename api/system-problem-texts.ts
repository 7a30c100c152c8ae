/**
 * The same as problem-texts.ts, of namespaces and jobs.
 */

const READ_DETAIL = "Correct the request as `detail` says. Repeating it unchanged gives the same answer.";
const REPEAT_LATER = "Repeat the request after the seconds in `Retry-After`, with growing pauses.";

export const SYSTEM_PROBLEM_TEXTS = {
  "quota-exceeded": {
    meaning:
      "The namespace holds as many keys or bytes as its quota allows, by a look at it each second. Nothing was accepted. A write that would only replace a value is refused too.",
    advice: "Delete keys, or have the quota raised (`/v1/namespaces/{namespace}`); deletes are always taken.",
  },
  "invalid-document": {
    meaning: "The body is not JSON, or not the document that this resource takes: `detail` says what is wrong where.",
    advice: READ_DETAIL,
  },
  "too-many-namespaces": {
    meaning: "So many namespaces have settings already that no others may get some. Nothing was accepted.",
    advice: "Use the defaults, or remove settings that nobody needs.",
  },
  "settings-unknown": {
    meaning:
      "This process has not read the settings of namespaces yet, because the store is away or not back where it was. It takes no write rather than give it less than its namespace was promised. Nothing was accepted.",
    advice: REPEAT_LATER,
  },
  "job-not-found": {
    meaning: "No job has this id: there never was one, or it was finished long ago and is removed.",
    advice: "Compare the id with `GET /v1/jobs`.",
  },
  "job-finished": {
    meaning: "The job is done or has failed, so that there is nothing to cancel.",
    advice: "Look at its state and its progress.",
  },
  "job-not-cancelled": {
    meaning:
      "The job was not cancelled in time: its cancellation is in the log and not applied yet, or its runner was first again and again.",
    advice: REPEAT_LATER,
  },
  "too-many-jobs": {
    meaning: "So many jobs wait or run that no more are taken. Nothing was accepted.",
    advice: REPEAT_LATER,
  },
} as const;
