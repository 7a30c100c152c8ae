/**
 * The documentation of problems, as a page or as a document: for all of them, and for each at its own URL.
 */

import { prefersPage } from "./accept.ts";
import type { AppDependencies } from "./dependencies.ts";
import { PROBLEMS, type ProblemSlug } from "./errors.ts";
import type { Answer, Incoming } from "./exchange.ts";
import { escapeHtml, page, pageHeaders } from "./html.ts";
import { JSON_TYPE } from "./media-type.ts";
import { problemType } from "./problem.ts";
import { PROBLEM_TEXTS } from "./problem-texts.ts";
import { answerStatic, staticDocument } from "./static-answer.ts";

/** As it is told in JSON. */
export function tellProblem(slug: ProblemSlug) {
  const { status, title, ...more } = PROBLEMS[slug];
  const retryAfterS = "retryAfterS" in more ? { retryAfterS: more.retryAfterS } : {};
  return { type: problemType(slug), status, title, ...PROBLEM_TEXTS[slug], ...retryAfterS };
}

/** Answers with the page to who would rather have one, else with the document. */
export async function answerEither(
  incoming: Incoming,
  files: AppDependencies["docsFiles"],
  { title, body, document }: { readonly title: string; readonly body: string; readonly document: unknown },
): Promise<Answer> {
  if (!prefersPage(incoming.header("accept"))) {
    const headers = { "Content-Type": JSON_TYPE, Vary: "Accept" };
    return answerStatic(incoming, await staticDocument(`${JSON.stringify(document)}\n`, headers));
  }
  const head = `<link rel="stylesheet" href="${await files.pathOf("page.css")}">`;
  const headers = { ...pageHeaders({ "style-src": "'self'" }), Vary: "Accept" };
  return answerStatic(incoming, await staticDocument(page(title, { head, body }), headers));
}

export function problemListBody(slugs: readonly ProblemSlug[]): string {
  const items = slugs.map((slug) => {
    const { status, title } = PROBLEMS[slug];
    return `<li>${status} <a href="${problemType(slug)}"><code>${slug}</code></a> ${escapeHtml(title)}</li>`;
  });
  return `<h1>Problems</h1>
<p>What an answer of type <code>application/problem+json</code> may say. A <code>type</code> never changes its meaning. Ask about one
answer by its <code>requestId</code>. The whole contract: <a href="/docs">/docs</a>.</p>
<ul>
${items.join("\n")}
</ul>`;
}

export function problemBody(slug: ProblemSlug): string {
  const { status, title, meaning, advice, retryAfterS } = tellProblem(slug);
  const rows: [string, string][] = [
    ["Type", `<code>${problemType(slug)}</code>`],
    ["Status", String(status)],
    ["What it means", withCode(meaning)],
    ["What to do", withCode(advice)],
    ...(retryAfterS === undefined ? [] : [["Retry-After", `${retryAfterS} s`] as [string, string]]),
  ];
  return `<h1>${escapeHtml(title)}</h1>
<dl>
${rows.map(([term, text]) => `<dt>${term}</dt><dd>${text}</dd>`).join("\n")}
</dl>
<p><a href="/problems">All problems</a></p>`;
}

function withCode(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}
