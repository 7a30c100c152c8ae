/**
 * Every overlay, and every way in which components may be put on top, rendered and held to everything in check.ts.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkManifests } from "./check.ts";
import { environmentOf, SCHEMAS } from "./environment.ts";
import { type Manifest, ofKind, workloadsOf } from "./manifest.ts";
import { runsSources } from "./pod-policies.ts";
import { componentNames, render, renderWith, root, withoutKubectl } from "./render.ts";

const HOST = "kv.example.test";
const TIMEOUT_MS = 120_000;

/** What an overlay has already, and so cannot be given again. */
const HAS: Readonly<Record<string, readonly string[]>> = {
  dev: ["tracing", "site"],
  prod: ["tracing", "network-policies", "tls", "site"],
};

/** For whoever changes the code; nothing is put on top of what it makes, and it is put on top of nothing. */
const LIVE = "live-reload";

/** Those that cannot be together, and how that is told. */
const ALTERNATIVES = [
  { pair: ["keda", "keda-redis"], told: /already registered id.*ScaledObject/s },
  {
    pair: ["keda-redis", "redis-tls"],
    told: /ScaledObject\/millrace-consumer: speaks plainly to a Redis that takes TLS alone/,
  },
] as const;

/** Variables that no manifest sets, and why not. A new one is either set in k8s/base or said here. */
const LEFT_TO_DEFAULTS: Readonly<Record<string, string>> = {
  MILLRACE_ALLOW_ANONYMOUS: "nobody is let in without a token",
  MILLRACE_JWKS_URL: "the site's own",
  MILLRACE_JWT_ISSUER: "the site's own",
  MILLRACE_JWT_AUDIENCE: "the site's own",
  MILLRACE_RATE_LIMIT: "the site's own",
  MILLRACE_CORS_ORIGINS: "the site's own",
  MILLRACE_APPEND_TIMEOUT_MS: "its default",
  MILLRACE_BACKLOG_MAX: "its default",
  MILLRACE_IDEMPOTENCY_KEYS_MAX: "its default",
  MILLRACE_CONNECTIONS_MAX: "its default",
  MILLRACE_CONSUMER: "the pod's name and a random part",
  MILLRACE_APPLY_UNTIL: "set for a restore, and taken away after it",
  MILLRACE_LEASE_MS: "its default",
  MILLRACE_LOG_RETENTION_S: "its default",
  MILLRACE_LOG_MAX_ENTRIES: "its default",
  MILLRACE_TRIM_EVERY_MS: "its default",
};

function together(components: readonly string[]): boolean {
  return !ALTERNATIVES.some(({ pair }) => pair.every((name) => components.includes(name)));
}

/**
 * None, each, and as many at once as can be together; on prod all pairs, too: what it has itself (network policies, TLS,
 * tracing) makes three of every pair.
 */
function combinationsFor(overlay: string): string[][] {
  const free = componentNames().filter((name) => name !== LIVE && !HAS[overlay]?.includes(name));
  const pairs = overlay === "prod" ? free.flatMap((one, at) => free.slice(at + 1).map((other) => [one, other])) : [];
  const all = [["keda-redis"], ["keda", "redis-tls"]].map((left) => free.filter((name) => !left.includes(name)));
  return [[], ...free.map((name) => [name]), ...pairs.filter(together), ...all];
}

const cases = Object.keys(HAS).flatMap((overlay) =>
  combinationsFor(overlay).map((components) => ({ overlay, components, name: [overlay, ...components].join(" + ") })),
);

describe.skipIf(withoutKubectl !== null)(
  `manifests${withoutKubectl === null ? "" : ` (skipped: ${withoutKubectl})`}`,
  () => {
    it.concurrent.each(cases)("$name holds", { timeout: TIMEOUT_MS }, async ({ overlay, components }) => {
      const manifests = await renderWith(overlay, components, HOST);
      expect(checkManifests(manifests)).toEqual([]);
      const entrances = JSON.stringify(
        manifests.filter(({ kind }) => ["Ingress", "Gateway", "HTTPRoute"].includes(kind)),
      );
      // The last word on the host is the overlay's on top.
      expect(entrances).toContain(HOST);
      expect(entrances).not.toMatch(/millrace\.(localhost|example)/);
      expect(ofKind(manifests, "Ingress").length).toBe(components.includes("gateway-api") ? 0 : 1);
    });

    it.concurrent.each(readdirSync(join(root, "k8s/overlays")))(
      "%s holds as it stands",
      {
        timeout: TIMEOUT_MS,
      },
      async (overlay) => {
        const manifests = await render(join(root, "k8s/overlays", overlay));
        expect(checkManifests(manifests)).toEqual([]);
        const live = workloadsOf(manifests).filter(runsSources);
        expect(live.length).toBe(overlay === "live" ? 2 : 0);
        for (const { startupProbe, livenessProbe } of live.flatMap(({ pod }) => pod.containers)) {
          expect([startupProbe, livenessProbe]).toEqual([undefined, undefined]);
        }
      },
    );

    it.concurrent.each(ALTERNATIVES)(
      "$pair cannot be together, and are told so",
      { timeout: TIMEOUT_MS },
      async ({ pair, told }) => {
        const faults = await renderWith("prod", pair, HOST).then(
          (manifests) => checkManifests(manifests).join("\n"),
          (error: unknown) => String(error),
        );
        expect(faults).toMatch(told);
      },
    );

    it("prod serves nothing without TLS, whatever is put on top", { timeout: TIMEOUT_MS }, async () => {
      const [ingress] = ofKind<{ spec: { tls?: { hosts: string[] }[] } }>(
        await renderWith("prod", [], HOST),
        "Ingress",
      );
      expect(ingress?.spec.tls).toEqual([expect.objectContaining({ hosts: [HOST] })]);
    });

    it("every variable is set in the manifests, or left to its default for a reason", {
      timeout: TIMEOUT_MS,
    }, async () => {
      const manifests = await renderWith(
        "prod",
        componentNames().filter((name) => name === "redis-tls"),
        HOST,
      );
      for (const component of ["api", "consumer"] as const) {
        const set = namesOf(manifests, component);
        const names = Object.keys(SCHEMAS[component].shape);
        expect(names.filter((name) => !set.has(name) && !(name in LEFT_TO_DEFAULTS))).toEqual([]);
        expect(names.filter((name) => set.has(name) && name in LEFT_TO_DEFAULTS)).toEqual([]);
      }
      const known = [...Object.keys(SCHEMAS.api.shape), ...Object.keys(SCHEMAS.consumer.shape)];
      expect(Object.keys(LEFT_TO_DEFAULTS).filter((name) => !known.includes(name))).toEqual([]);
    });

    it("our images carry the version of the package, and their own user", { timeout: TIMEOUT_MS }, async () => {
      const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
      const [, user] = /^USER (\d+)/m.exec(readFileSync(join(root, "infra/docker/Dockerfile"), "utf8")) ?? [];
      const workloads = workloadsOf(await render(join(root, "k8s/base")));
      expect(workloads.map(({ pod }) => String(pod.securityContext?.runAsUser))).toEqual([user, user]);
      expect(workloads.map(({ pod }) => pod.containers[0]?.image)).toEqual([
        `millrace-api:${version}`,
        `millrace-consumer:${version}`,
      ]);
    });
  },
);

it("a component that is named for an overlay exists", () => {
  for (const name of [LIVE, ...Object.values(HAS).flat(), ...ALTERNATIVES.flatMap(({ pair }) => pair)]) {
    expect(existsSync(join(root, "k8s/components", name)), name).toBe(true);
  }
});

function namesOf(manifests: readonly Manifest[], component: string): ReadonlySet<string> {
  const workload = workloadsOf(manifests).find(({ labels }) => labels["app.kubernetes.io/component"] === component);
  const container = workload?.pod.containers[0];
  if (container === undefined) throw new Error(`no ${component}`);
  return new Set(Object.keys(environmentOf(manifests, container).values));
}
