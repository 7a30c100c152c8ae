/** The collector's and Jaeger's configuration, as far as it can be judged without them. */
import { describe, expect, test } from "vitest";
import { ATTRIBUTES } from "../../../core/telemetry.ts";
import { ask, root, whereMissing } from "./programs.ts";
import { alerts, readYaml } from "./rules-file.ts";

type Named = Readonly<Record<string, unknown>>;
interface Pipeline {
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}
interface Configuration {
  readonly receivers: Named;
  readonly processors: Named;
  readonly exporters: Named;
  readonly extensions: Named;
  readonly service: { readonly extensions: readonly string[]; readonly pipelines: Readonly<Record<string, Pipeline>> };
}

const collector = readYaml("otel/collector.yaml") as Configuration;
const jaeger = readYaml("otel/jaeger.yaml") as Configuration;

/** What a program of the contrib distribution, or of Jaeger's, is made of, as far as we use it. */
const COMPONENTS: Readonly<Record<string, Readonly<Record<keyof Omit<Configuration, "service">, readonly string[]>>>> =
  {
    collector: {
      receivers: ["otlp"],
      processors: ["memory_limiter", "resourcedetection", "redaction", "tail_sampling", "batch"],
      exporters: ["otlp_grpc"],
      extensions: ["health_check"],
    },
    jaeger: {
      receivers: ["otlp"],
      processors: ["memory_limiter", "batch"],
      exporters: ["jaeger_storage_exporter"],
      extensions: ["jaeger_storage", "jaeger_query", "healthcheckv2"],
    },
  };

describe.each([
  ["collector", collector],
  ["jaeger", jaeger],
] as const)("%s", (name, configuration) => {
  const pipelines = Object.values(configuration.service.pipelines);

  test("pipelines are made of what is defined, and all that is defined is used", () => {
    for (const kind of ["receivers", "processors", "exporters"] as const) {
      const used = new Set(pipelines.flatMap((pipeline) => pipeline[kind]));
      expect([...used].toSorted(byText)).toEqual(Object.keys(configuration[kind]).toSorted(byText));
    }
    expect(configuration.service.extensions.toSorted(byText)).toEqual(
      Object.keys(configuration.extensions).toSorted(byText),
    );
  });

  test("components are of kinds that the image has", () => {
    for (const kind of ["receivers", "processors", "exporters", "extensions"] as const) {
      const kinds = Object.keys(configuration[kind]).map((id) => id.split("/")[0] ?? "");
      for (const each of kinds) expect(COMPONENTS[name]?.[kind]).toContain(each);
    }
  });

  test("memory is looked after first, and spans are gathered last", () => {
    for (const { processors } of pipelines) {
      expect(processors[0]).toBe("memory_limiter");
      expect(processors.at(-1)).toBe("batch");
    }
  });
});

interface Policy {
  readonly type: string;
  readonly status_code?: { readonly status_codes: readonly string[] };
  readonly string_attribute?: { readonly key: string; readonly values: readonly string[] };
  readonly ottl_condition?: { readonly span: readonly string[] };
  readonly probabilistic?: { readonly sampling_percentage: string };
}
const sampling = collector.processors.tail_sampling as {
  readonly sampling_strategy: string;
  readonly decision_wait: string;
  readonly policies: readonly Policy[];
  readonly decision_cache: { readonly non_sampled_cache_size: number };
};
const redaction = collector.processors.redaction as {
  readonly allow_all_keys: boolean;
  readonly allowed_keys: readonly string[];
  readonly blocked_values: readonly string[];
};

describe("the collector", () => {
  const find = (type: string) => sampling.policies.find((policy) => policy.type === type);

  test("keeps what failed, what died, what is slow or waited long, and a share of the rest", () => {
    expect(find("status_code")?.status_code?.status_codes).toEqual(["ERROR"]);
    expect(find("string_attribute")?.string_attribute).toEqual({
      key: "millrace.outcome",
      values: ["dead", "rejected"],
    });
    expect(find("latency")).toBeDefined();
    expect(find("ottl_condition")?.ottl_condition?.span).toEqual([`span.attributes["${ATTRIBUTES.queued}"] >= 1.0`]);
  });

  test("as shipped keeps all that it is sent: what sources record and what it keeps multiply", () => {
    expect(find("probabilistic")?.probabilistic?.sampling_percentage).toBe(`\${env:KEEP_PERCENT:-100}`);
    const overlay = readYaml("otel/kustomization.yaml") as {
      configMapGenerator: readonly { name: string; literals?: readonly string[] }[];
    };
    expect(overlay.configMapGenerator.find(({ name }) => name === "millrace-collector-env")?.literals).toEqual([
      "KEEP_PERCENT=100",
    ]);
  });

  test("hands a trace on when it knows that it is kept, not when its time is over", () => {
    expect(sampling.sampling_strategy).toBe("span-ingest");
  });

  test("holds a trace for longer than a command may wait before somebody is told", () => {
    const expression = alerts.find(({ alert }) => alert === "MillraceBacklogOld")?.expr ?? "";
    const waitS = Number(/^(\d+)s$/.exec(sampling.decision_wait)?.[1]);
    expect(waitS).toBeGreaterThan(Number(/> (\d+)/.exec(expression)?.[1]));
  });

  test("decides with all it was told of who sent a span, and before nothing that needs it", () => {
    const order = collector.service.pipelines.traces?.processors ?? [];
    expect(order.indexOf("redaction")).toBeLessThan(order.indexOf("tail_sampling"));
    expect(order.indexOf("resourcedetection")).toBeLessThan(order.indexOf("redaction"));
  });

  test("lets every attribute of ours through, and none that could hold a key or a value", () => {
    expect(redaction.allow_all_keys).toBe(false);
    expect(redaction.allowed_keys).toEqual(expect.arrayContaining(Object.values(ATTRIBUTES)));
    for (const key of ["url.full", "url.path", "url.query", "db.query.text", "millrace.key", "exception.message"]) {
      expect(redaction.allowed_keys).not.toContain(key);
    }
    expect(redaction.allowed_keys.filter((key) => /token|authorization|cookie|header|body$/.test(key))).toEqual([]);
  });

  test.each([
    ["a header", "Authorization: Bearer abc.def"],
    ["a JWT", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"],
    ["a token as README makes them", "0af7651916cd43dd8448eb211c80319c0af7651916cd43dd8448eb211c80319c"],
    ["a password in a URL", "connect rediss://api:secret@millrace-log-0:6379"],
  ])("masks %s", (_, value) => {
    expect(redaction.blocked_values.some((pattern) => expressionOf(pattern).test(value))).toBe(true);
  });

  test.each([
    "0af7651916cd43dd8448eb211c80319c",
    "03-1795247404350-0",
    "PUT /v1/kv/{namespace}/{key}",
    "OOM command not allowed",
  ])("leaves %s as it is", (value) => {
    expect(redaction.blocked_values.some((pattern) => expressionOf(pattern).test(value))).toBe(false);
  });
});

const noKubectl = whereMissing("kubectl");

test.skipIf(noKubectl !== "")(
  `otel/ renders, and its configurations are in it as they are${noKubectl}`,
  async () => {
    const { ok, said } = await ask("kubectl", "kustomize", `${root}/otel`);
    expect({ ok, said: ok ? "" : said }).toEqual({ ok: true, said: "" });
    expect(said).toContain("decision_wait: 35s");
    expect(said).toContain("jaeger_storage:");
  },
  60_000,
);

/** Go's `(?i)` stands before, JavaScript's behind. */
function expressionOf(pattern: string): RegExp {
  return pattern.startsWith("(?i)") ? new RegExp(pattern.slice(4), "i") : new RegExp(pattern);
}

function byText(a: string, b: string): number {
  return a.localeCompare(b);
}
