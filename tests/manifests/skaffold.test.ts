/** skaffold.yaml and what it leads to: targets of the Dockerfile, overlays, Services, the smoke check's Job. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { repoRoot } from "../../infra/local/repo-root.ts";
import { globPattern, ignoredBy, imageOf, parseDockerfile } from "../harness/dockerfile.ts";
import { skaffoldFile } from "./skaffold-file.ts";

// Rendering and compiling schemas take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const read = (path: string) => readFileSync(join(repoRoot, path), "utf8");
const written: unknown = parse(read("skaffold.yaml"));
const file = skaffoldFile.parse(written);
const profile = (name: string) => file.profiles.find((each) => each.name === name);
const stages = parseDockerfile(read("infra/docker/Dockerfile"));
const dev = imageOf(stages, "dev");

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly ports?: readonly { readonly port: number }[];
    readonly template: {
      readonly spec: { readonly containers: { name: string; command: string[]; securityContext: object }[] };
    };
  };
}

const kubectl = spawnSync("kubectl", ["kustomize", "--help"]).status === 0;
const title = (name: string) => (kubectl ? name : `${name} (NOT CHECKED: kubectl is missing here)`);
const rendered = new Map<string, string>();
/** A new copy each time. */
function render(path: string): Workload[] {
  const text = rendered.get(path) ?? execFileSync("kubectl", ["kustomize", path], { cwd: repoRoot, encoding: "utf8" });
  rendered.set(path, text);
  return parseAllDocuments(text).map((document) => document.toJS() as Workload);
}

it("a member that skaffold does not know is found", () => {
  const slip = { ...(written as object), deploi: {} };
  expect(skaffoldFile.safeParse(slip).success).toBe(false);
});

it("every image is a target of the Dockerfile", () => {
  const artifacts = [file.build, ...file.profiles.map(({ build }) => build)].flatMap((build) => build?.artifacts ?? []);
  for (const { image, docker } of artifacts) {
    expect(existsSync(join(repoRoot, docker.dockerfile))).toBe(true);
    const { labels } = imageOf(stages, docker.target);
    expect([image, "millrace-dev"]).toContain(labels["org.opencontainers.image.title"]);
  }
});

it("every folder of manifests and every script is there", () => {
  const folders = [file, ...file.profiles].flatMap(({ manifests }) => manifests?.kustomize.paths ?? []);
  const added = file.profiles.flatMap(({ patches = [] }) =>
    patches.flatMap((patch) => ("value" in patch && typeof patch.value === "string" ? [patch.value] : [])),
  );
  for (const folder of [...folders, ...added]) {
    expect([folder, existsSync(join(repoRoot, folder, "kustomization.yaml"))]).toEqual([folder, true]);
  }
  for (const { host } of file.deploy.kubectl.hooks.before) {
    const [script = ""] = /infra\/\S+\.sh/.exec(host.command.join(" ")) ?? [];
    expect([script, existsSync(join(repoRoot, script))]).toEqual([script, true]);
  }
});

it("every patch finds its place", () => {
  for (const { patches = [] } of file.profiles) {
    for (const { op, path } of patches) {
      const steps = path.split("/").slice(1);
      const whole = op === "remove" ? steps : steps.slice(0, -1);
      const place = whole.reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], file);
      expect([path, place === undefined]).toEqual([path, false]);
    }
  }
});

it("prod makes no secrets", () => {
  expect(profile("prod")?.patches).toContainEqual({ op: "remove", path: "/deploy/kubectl/hooks" });
});

describe("the loop of a developer", () => {
  const artifacts = profile("dev")?.build?.artifacts ?? [];

  it("begins with `skaffold dev`", () => {
    expect(profile("dev")?.activation).toEqual([{ command: "dev" }]);
    expect(artifacts.map(({ docker }) => docker.target)).toEqual(["dev", "dev"]);
  });

  it("puts each source of the image where the image has it, whichever image it is", () => {
    const isIgnored = ignoredBy(read(".dockerignore"));
    const folders = dev.copies.filter(({ owner }) => owner !== undefined);
    const sources = folders.flatMap(({ sources: [from = ""], target }) => {
      expect(target).toBe(`./${from}`);
      return readdirSync(join(repoRoot, from), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(repoRoot.length + 1));
    });
    for (const { sync } of artifacts) {
      const rules = sync?.manual ?? [];
      for (const rule of rules) expect(rule).toEqual({ src: rule.src, dest: "." });
      const missed = sources.filter(
        (path) => !isIgnored(path) && !rules.some(({ src }) => globPattern(src).test(path)),
      );
      expect(missed).toEqual([]);
    }
  });

  it.skipIf(!kubectl)(title("runs in the pods what the image runs, where it may be written to"), () => {
    const [path = ""] = profile("dev")?.manifests?.kustomize.paths ?? [];
    const deployments = render(path).filter(({ kind }) => kind === "Deployment");
    for (const name of ["api", "consumer"]) {
      const { spec } = deployments.find(({ metadata }) => metadata.name === `millrace-${name}`) ?? {};
      expect(spec?.template.spec.containers[0]).toMatchObject({
        command: dev.command.map((word) => word.replace(/\bapi\b/, name)),
        securityContext: { readOnlyRootFilesystem: false },
      });
    }
  });
});

describe("verify", () => {
  const [verify] = profile("verify")?.verify ?? [];
  const job = parse(read("infra/skaffold/smoke-job.yaml")) as {
    metadata: { labels?: object };
    spec: { template: { spec: { securityContext: object; containers: { name: string; env: object[] }[] } } };
  };

  it("finds its container in the Job, and labels to write to", () => {
    // skaffold keeps only the container of this name, and writes to the labels without asking whether there are any.
    expect(job.spec.template.spec.containers.map(({ name }) => name)).toEqual([verify?.container.name]);
    expect(job.metadata.labels).toBeDefined();
    expect(existsSync(join(repoRoot, verify?.executionMode.kubernetesCluster.jobManifestPath ?? ""))).toBe(true);
  });

  it("runs the smoke image as that is meant to be run, as a pod that the namespace lets in", () => {
    const image = imageOf(stages, "smoke");
    expect(verify?.container).toMatchObject({ image: "millrace-smoke", command: image.command.slice(0, 2) });
    expect(profile("verify")?.build?.artifacts?.map((each) => each.image)).toContain("millrace-smoke");
    const { securityContext, containers } = job.spec.template.spec;
    const [user, group] = image.user.split(":").map(Number);
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: group,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(containers[0]).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
    });
  });

  it("shows the token that dev-secrets.sh has made", () => {
    const { name, key } = { name: "millrace-dev-token", key: "token" };
    expect(job.spec.template.spec.containers[0]?.env).toEqual([
      { name: "MILLRACE_TOKEN", valueFrom: { secretKeyRef: { name, key } } },
    ]);
    expect(read("infra/dev-secrets.sh")).toContain(`create secret generic ${name}`);
  });
});

it.skipIf(!kubectl)(title("every Service that is forwarded or asked is there, at that port"), () => {
  const services = render("k8s/overlays/dev").filter(({ kind }) => kind === "Service");
  const known = services.flatMap(({ metadata, spec }) =>
    (spec.ports ?? []).map(({ port }) => `${metadata.name}:${port}`),
  );
  const forwarded = file.portForward.map(({ resourceName, port }) => `${resourceName}:${port}`);
  const asked = profile("verify")?.verify?.flatMap(({ container }) =>
    container.args.filter((word) => word.startsWith("http")).map((url) => new URL(url)),
  );
  expect(known).toEqual(
    expect.arrayContaining([...forwarded, ...(asked ?? []).map(({ hostname, port }) => `${hostname}:${port || 80}`)]),
  );
});

it.skipIf(!kubectl)(
  title("dev-secrets.sh makes each secret that the pods of the dev overlay cannot do without"),
  () => {
    const [, names = ""] = /^readonly users=\((.*)\)$/m.exec(read("infra/dev-secrets.sh")) ?? [];
    const made = [...names.split(" ").map((name) => `redis-${name}-password`), "tokens.json"];
    const asked = new Set<string>();
    const collect = (node: unknown): void => {
      if (typeof node !== "object" || node === null) return;
      const { name, secretName, key, items, optional } = node as Record<string, unknown>;
      if ((name ?? secretName) === "millrace-secrets" && optional !== true) {
        if (typeof key === "string") asked.add(key);
        for (const item of (items ?? []) as { key: string }[]) asked.add(item.key);
      }
      for (const each of Object.values(node)) collect(each);
    };
    collect(render("k8s/overlays/dev"));
    expect([...asked].toSorted()).toEqual(made.toSorted());
  },
);
