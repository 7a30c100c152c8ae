/**
 * Which grade a write gets: what it asks for by the header Millrace-Grade, else its namespace's, else the log's own.
 */
import { GRADES, type Grade } from "../core/grade.ts";
import type { AppDependencies } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import type { Incoming } from "./exchange.ts";

const NAMES: ReadonlySet<string> = new Set(GRADES);

/** @throws ProblemError when it is no grade, or one that this log can never give */
export function wantedGrade(
  deps: Pick<AppDependencies, "settingsOf" | "log">,
  incoming: Incoming,
  namespace: string,
): Grade {
  return gradeFor(deps, askedGrade(incoming), namespace);
}

/** @returns null when the request names none. @throws ProblemError when it is no grade */
export function askedGrade(incoming: Incoming): Grade | null {
  const asked = incoming.header("millrace-grade");
  if (asked !== null && !isGrade(asked)) {
    throw new ProblemError("invalid-grade", `Millrace-Grade is one of ${GRADES.join(", ")}.`);
  }
  return asked;
}

/** @throws ProblemError when it is one that this log can never give */
export function gradeFor(
  deps: Pick<AppDependencies, "settingsOf" | "log">,
  asked: Grade | null,
  namespace: string,
): Grade {
  const grade = asked ?? deps.settingsOf(namespace).grade;
  if (grade === undefined) return deps.log.defaultGrade;
  if (deps.log.gives(grade) === "no") {
    throw new ProblemError("grade-unavailable", `This log cannot give ${grade}.`);
  }
  return grade;
}

function isGrade(text: string): text is Grade {
  return NAMES.has(text);
}
