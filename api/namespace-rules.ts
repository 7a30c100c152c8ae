/**
 * What settings must keep to beside their form.
 */
import { NAMESPACES_WITH_SETTINGS_MAX } from "../core/limits.ts";
import type { AppDependencies } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import type { GivenSettings } from "./namespaces.ts";

/** @throws ProblemError `grade-unavailable`: else every write of the namespace would be refused */
export function expectUsable(deps: Pick<AppDependencies, "log">, { grade }: GivenSettings): void {
  if (grade !== undefined && deps.log.gives(grade) === "no") {
    throw new ProblemError("grade-unavailable", `This log cannot give ${grade}.`);
  }
}

/** By what this process knows: a few more may come at once. @throws ProblemError `too-many-namespaces` */
export function expectRoomFor(deps: Pick<AppDependencies, "namespaces">, namespace: string): void {
  const { known } = deps.namespaces;
  if (known === null || known.has(namespace) || known.size < NAMESPACES_WITH_SETTINGS_MAX) return;
  throw new ProblemError("too-many-namespaces", `At most ${NAMESPACES_WITH_SETTINGS_MAX}; others have the defaults.`);
}
