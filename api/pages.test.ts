import { describe, expect, test } from "vitest";
import { IDLE } from "../tests/harness/idle-app.ts";
import { createApp } from "./app.ts";
import { PROBLEMS, type ProblemSlug } from "./errors.ts";

const app = createApp(IDLE);
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const get = async (path: string, headers: Record<string, string> = {}, method = "GET") =>
  app.fetch(new Request(`http://h${path}`, { method, headers }));
const text = async (path: string) => (await get(path, { accept: BROWSER })).text();

/** What a page loads or leads to. */
const linksOf = (html: string) => [...html.matchAll(/\b(?:src|href|action)="([^"]*)"/g)].map((match) => match[1] ?? "");
const filesOf = async (page: string) => linksOf(await text(page)).filter((link) => link.startsWith("/docs/"));

const slugs = Object.keys(PROBLEMS) as ProblemSlug[];
const pages = ["/docs", "/problems", "/problems/internal"];

describe("a page asks no other host for anything:", () => {
  test.each(pages)(
    "%s links to its own origin, runs no script of its own text, and its policy says so",
    async (page) => {
      const answer = await get(page, { accept: BROWSER });
      const html = await answer.text();
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(linksOf(html).length).toBeGreaterThan(0);
      for (const link of linksOf(html)) expect(link).toMatch(/^\/(?!\/)/);
      expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?:|javascript:/i);
      const policy = new Map(
        (answer.headers.get("content-security-policy") ?? "").split("; ").map((directive) => {
          const [name = "", ...sources] = directive.split(" ");
          return [name, sources] as const;
        }),
      );
      expect(policy.get("default-src")).toEqual(["'none'"]);
      expect(policy.get("base-uri")).toEqual(["'none'"]);
      expect(policy.get("form-action")).toEqual(["'none'"]);
      expect(policy.get("frame-ancestors")).toEqual(["'none'"]);
      // data: is for pictures alone: a script or a style could be anything.
      for (const [name, sources] of policy) {
        const allowed = name === "img-src" ? ["'self'", "data:"] : ["'self'", "'none'"];
        for (const source of sources) expect(allowed, name).toContain(source);
      }
    },
  );

  test("what starts Swagger UI names no host, and turns off what asks one", async () => {
    const script = (await filesOf("/docs")).find((file) => file.includes("/start.")) ?? "";
    const source = await (await get(script)).text();
    expect(source).not.toMatch(/\/\//);
    expect(source).toContain('url: "/openapi.json"');
    expect(source).toContain("validatorUrl: null");
  });

  test("what the styles load is in them", async () => {
    for (const page of pages) {
      for (const file of (await filesOf(page)).filter((name) => name.endsWith(".css"))) {
        const style = await (await get(file)).text();
        expect(style).not.toMatch(/@import/);
        for (const [, url = ""] of style.matchAll(/url\(\s*["']?([^"')]*)/g)) expect(url).toMatch(/^(?:data:|#)/);
      }
    }
  });
});

describe("what the pages load", () => {
  const TYPES: Readonly<Record<string, string>> = {
    css: "text/css; charset=utf-8",
    js: "text/javascript; charset=utf-8",
    png: "image/png",
  };

  test("is there, with its own type, to be kept for ever under a name that holds its hash", async () => {
    const files = await filesOf("/docs");
    expect(files).toHaveLength(4);
    for (const file of [...files, ...(await filesOf("/problems"))]) {
      const answer = await get(file);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe(TYPES[file.slice(file.lastIndexOf(".") + 1)]);
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
      expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      const hash = /\.([0-9a-f]{16})\.\w+$/.exec(file)?.[1];
      expect(answer.headers.get("etag")).toBe(`"${hash}"`);
      const digest = await crypto.subtle.digest("SHA-256", await answer.arrayBuffer());
      expect(Buffer.from(digest).toString("hex").slice(0, 16)).toBe(hash);
    }
  });

  test.each([
    "swagger-ui.css",
    "swagger-ui.0000000000000000.css",
    "index.html",
    "swagger-ui-bundle.js.map",
    "..%2f..%2fpackage.json",
    "%2e%2e%2fpackage.json",
    "package.json",
    "__proto__",
  ])("%s is not there: 404", async (file) => {
    expect((await get(`/docs/${file}`)).status).toBe(404);
  });

  test("a file that could not be read once is read when it can be", async () => {
    const { DocsFiles } = await import("./docs-files.ts");
    let reads = 0;
    const files = new DocsFiles(async () => {
      reads += 1;
      if (reads === 1) throw new Error("EMFILE");
      return new Uint8Array([1]);
    });
    await expect(files.pathOf("swagger-ui.css")).rejects.toThrow("EMFILE");
    expect(await files.pathOf("swagger-ui.css")).toMatch(/^\/docs\/swagger-ui\./);
  });
});

describe("what does not change is sent once:", () => {
  test.each([
    ["/openapi.json", {}],
    ["/docs", {}],
    ["/problems", { accept: BROWSER }],
    ["/problems", {}],
    ["/problems/internal", { accept: BROWSER }],
    ["/problems/internal", {}],
  ])("%s %j: HEAD tells what GET would, and 304 who has it", async (path, headers) => {
    const whole = await get(path, headers);
    const body = await whole.arrayBuffer();
    const etag = whole.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[0-9a-f]{16}"$/);
    expect(whole.headers.get("cache-control")).toBe("no-cache");

    const head = await get(path, headers, "HEAD");
    expect([head.status, (await head.arrayBuffer()).byteLength]).toEqual([200, 0]);
    expect(head.headers.get("content-length")).toBe(String(body.byteLength));
    expect([head.headers.get("etag"), head.headers.get("content-type")]).toEqual([
      etag,
      whole.headers.get("content-type"),
    ]);

    const known = await get(path, { ...headers, "if-none-match": `"other", W/${etag}` });
    expect([known.status, (await known.arrayBuffer()).byteLength]).toEqual([304, 0]);
    expect([known.headers.get("etag"), known.headers.get("vary")]).toEqual([etag, whole.headers.get("vary")]);
    expect((await get(path, { ...headers, "if-none-match": '"other"' })).status).toBe(200);
  });

  test("a page and a document of one URL are not taken for one another", async () => {
    const [page, document] = await Promise.all([get("/problems", { accept: BROWSER }), get("/problems")]);
    expect(page.headers.get("etag")).not.toBe(document.headers.get("etag"));
    expect([page.headers.get("vary"), document.headers.get("vary")]).toEqual(["Accept", "Accept"]);
  });

  test.each(["/openapi.json", "/docs", "/docs/x.css", "/problems", "/problems/internal"])(
    "%s is only read",
    async (path) => {
      for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
        const answer = await get(path, {}, method);
        expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
      }
    },
  );
});

describe("the type of every problem leads to its documentation:", () => {
  test.each(slugs)("%s", async (slug) => {
    const { status, title } = PROBLEMS[slug];
    const document = await (await get(`/problems/${slug}`, { accept: "application/json" })).json();
    expect(document).toMatchObject({ type: `/problems/${slug}`, status, title });
    const { meaning, advice } = document as { meaning: string; advice: string };
    const html = await text(`/problems/${slug}`);
    for (const words of [meaning, advice]) {
      expect(words).toMatch(/^[`A-Z].{15,}\.$/s);
      expect(words.split("`").length % 2).toBe(1);
      expect(html.replaceAll(/<\/?code>/g, "`")).toContain(
        words.replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;"),
      );
    }
    expect(html).toContain(title.replaceAll("'", "&#39;"));
    expect(await text("/problems")).toContain(`href="/problems/${slug}"`);
  });

  test("the list tells all of them, as their own pages do", async () => {
    const { problems } = (await (await get("/problems")).json()) as { problems: { type: string }[] };
    expect(problems.map(({ type }) => type)).toEqual(slugs.map((slug) => `/problems/${slug}`));
    expect(problems[0]).toEqual(await (await get(problems[0]?.type ?? "")).json());
  });

  test.each(["unheard-of", "__proto__", "constructor", "toString"])("%s is none: 404", async (slug) => {
    expect((await get(`/problems/${slug}`)).status).toBe(404);
  });

  test("an answer of failure names it by a URL that works", async () => {
    const problem = (await (await get("/v1/commands/nonsense")).json()) as { type: string; title: string };
    const about = await get(problem.type);
    expect([about.status, await about.json()]).toEqual([200, expect.objectContaining({ title: problem.title })]);
  });
});

test("the open pages are the same in every installation", async () => {
  const other = createApp({ ...IDLE, partitions: 3, settingsOf: () => ({ parking: "block", grade: "disk" }) });
  for (const path of ["/openapi.json", "/docs", "/problems"]) {
    const elsewhere = await other.fetch(new Request(`http://elsewhere:81${path}`));
    expect(elsewhere.headers.get("etag")).toBe((await get(path)).headers.get("etag"));
  }
});
