/**
 * deploy.sh, undeploy.sh and dev-secrets.sh against a kubectl that only writes down what it is asked, and keeps Secrets in
 * files. It shows which calls are made, in which order and with what; that a cluster takes them is shown nowhere here.
 */
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { repoRoot } from "./local/repo-root.ts";

// Each starts dozens of small processes: a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

const DOCUMENTS = ["Namespace", "ConfigMap", "PersistentVolumeClaim", "Deployment"]
  .map((kind) => `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: the-${kind.toLowerCase()}\n`)
  .join("---\n");

const KUBECTL = `#!/usr/bin/env bash
echo "$*" >>"$CLUSTER/calls"
if [[ $1 == --context ]]; then shift 2; fi
if [[ $1 == --namespace ]]; then shift 2; fi
case "$1 $2 $3" in
  "kustomize "*) cat "$CLUSTER/documents" ;;
  "get secret "*)
    if [[ "$*" == *go-template* ]]; then cat "$CLUSTER/secrets/$3/token"
    elif [[ -d $CLUSTER/secrets/$3 ]]; then echo "secret/$3"; fi ;;
  "get namespace "*) cat "$CLUSTER/namespace" 2>/dev/null ;;
  "create namespace "*) echo "namespace/$3" >"$CLUSTER/namespace" ;;
  "create secret "*)
    for word; do if [[ $word == --from-file=* ]]; then cp -R "\${word#*=}" "$CLUSTER/secrets/$4"; fi; done ;;
  "get statefulset "*) echo statefulset.apps/millrace-log ;;
  "get deployment "*) echo deployment.apps/millrace-api ;;
  "get ingress "*) if [[ "$*" == *host}* ]]; then printf millrace.localhost; fi ;;
  "delete --ignore-not-found "*) cat >"$CLUSTER/deleted" ;;
esac
exit 0
`;

let cluster: string;
let overlay: string;
beforeEach(async () => {
  cluster = await mkdtemp(join(tmpdir(), "millrace-cluster-"));
  await mkdir(join(cluster, "secrets"));
  await writeFile(join(cluster, "calls"), "");
  await writeFile(join(cluster, "documents"), DOCUMENTS);
  overlay = join(cluster, "overlay");
  await mkdir(overlay);
  await writeFile(join(overlay, "kustomization.yaml"), "");
  await mkdir(join(cluster, "bin"));
  await writeFile(join(cluster, "bin/kubectl"), KUBECTL);
  await chmod(join(cluster, "bin/kubectl"), 0o755);
});
afterEach(() => rm(cluster, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly output: string;
  readonly calls: readonly string[];
}

async function script(name: string, ...args: string[]): Promise<Ended> {
  const env = { PATH: `${join(cluster, "bin")}:${process.env.PATH}`, CLUSTER: cluster };
  const ended = await promisify(execFile)(join(repoRoot, "infra", name), args, { env }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, output: stdout + stderr }),
  );
  const calls = (await readFile(join(cluster, "calls"), "utf8")).split("\n").filter((line) => line !== "");
  return { ...ended, calls };
}

const secret = (name: string, key: string) => readFile(join(cluster, "secrets", name, key), "utf8");
/** What a call does, without the namespace and the details of what it asks for. */
const verbs = (calls: readonly string[]) =>
  calls.map((call) => call.replace("--namespace millrace ", "").split(" ").slice(0, 3).join(" "));

it("secrets for development are made where they are missing, and are random", async () => {
  const { code, calls } = await script("dev-secrets.sh");
  expect(code).toBe(0);
  expect(verbs(calls)).toEqual([
    "get secret millrace-secrets",
    "get namespace millrace",
    "create namespace millrace",
    "get secret millrace-dev-token",
    "create secret generic",
    "get secret millrace-dev-token",
    "create secret generic",
  ]);
  // Without it kubectl apply warns of the namespace that it finds.
  expect(calls).toContain("--namespace millrace create namespace millrace --save-config");
  const keys = await readdir(join(cluster, "secrets/millrace-secrets"));
  const passwords = keys.filter((key) => key.endsWith("-password"));
  expect(keys.filter((key) => !passwords.includes(key))).toEqual(["tokens.json"]);
  const values = await Promise.all(passwords.map((key) => secret("millrace-secrets", key)));
  for (const value of values) expect(value).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(values).size).toBe(passwords.length);
});

it("the token for development is the one whose digest the APIs get, and stands in no call and no output", async () => {
  const { output, calls } = await script("dev-secrets.sh");
  const token = await secret("millrace-dev-token", "token");
  const { tokens } = JSON.parse(await secret("millrace-secrets", "tokens.json")) as { tokens: { sha256: string }[] };
  expect(tokens.map(({ sha256 }) => sha256)).toEqual([createHash("sha256").update(token).digest("hex")]);
  expect(output + calls.join("\n")).not.toMatch(/[0-9a-f]{64}/);
});

it("secrets that are there stay as they are", async () => {
  await script("dev-secrets.sh");
  const before = await secret("millrace-secrets", "redis-api-password");
  await writeFile(join(cluster, "calls"), "");
  expect(verbs((await script("dev-secrets.sh")).calls)).toEqual(["get secret millrace-secrets"]);
  expect(await secret("millrace-secrets", "redis-api-password")).toBe(before);
});

it("who is interrupted between the two finds the same token again", async () => {
  await script("dev-secrets.sh");
  const token = await secret("millrace-dev-token", "token");
  await rm(join(cluster, "secrets/millrace-secrets"), { recursive: true });
  await script("dev-secrets.sh");
  expect(await secret("millrace-dev-token", "token")).toBe(token);
  expect(await secret("millrace-secrets", "tokens.json")).toContain(createHash("sha256").update(token).digest("hex"));
});

it("deploy applies, waits for Redis before the rest, and says where it is", async () => {
  await mkdir(join(cluster, "secrets/millrace-secrets"));
  const { code, output, calls } = await script("deploy.sh", "--overlay", overlay);
  expect([code, output]).toEqual([0, expect.stringContaining("http://millrace.localhost/docs")]);
  expect(verbs(calls)).toEqual([
    `kustomize ${overlay}`,
    "get secret millrace-secrets",
    "apply --filename -",
    "get statefulset --selector",
    "rollout status statefulset.apps/millrace-log",
    "get deployment --selector",
    "rollout status deployment.apps/millrace-api",
    "get ingress millrace",
    "get ingress millrace",
    "get secret millrace-dev-token",
  ]);
});

it("deploy says where it is behind a Gateway, too", async () => {
  await mkdir(join(cluster, "secrets/millrace-secrets"));
  const spec = "spec:\n  hostnames:\n  - kv.example.test\n  parentRefs:\n  - name: millrace\n";
  await writeFile(join(cluster, "documents"), `${DOCUMENTS}---\nkind: HTTPRoute\n${spec}`);
  const { output } = await script("deploy.sh", "--overlay", overlay);
  expect(output).toContain("through the cluster's Gateway: https://kv.example.test/docs");
});

it("deploy makes no secrets for anything but development, and applies nothing without them", async () => {
  const { code, output, calls } = await script("deploy.sh", "--overlay", overlay);
  expect([code, output]).toEqual([1, expect.stringContaining("k8s/README.md")]);
  expect(verbs(calls)).toEqual([`kustomize ${overlay}`, "get secret millrace-secrets"]);
});

it.each(["deploy.sh", "undeploy.sh"])("%s does nothing in a namespace that the overlay is not for", async (name) => {
  await writeFile(join(cluster, "documents"), DOCUMENTS.replaceAll("metadata:\n", "metadata:\n  namespace: kv\n"));
  const { code, output, calls } = await script(name, "--overlay", overlay);
  expect([code, output]).toEqual([1, expect.stringContaining("is for the namespace kv, not for millrace")]);
  expect(verbs(calls)).toEqual([`kustomize ${overlay}`]);
});

it("a dry run prints what would be applied or deleted, and asks no cluster", async () => {
  const { output, calls } = await script("deploy.sh", "--overlay", overlay, "--dry-run");
  expect([output, calls]).toEqual([DOCUMENTS, [`kustomize ${overlay}`]]);
  const undeployed = await script("undeploy.sh", "--overlay", overlay, "--dry-run");
  expect(undeployed.calls).toEqual([`kustomize ${overlay}`, `kustomize ${overlay}`]);
  expect(kindsOf(undeployed.output)).toEqual(["ConfigMap", "Deployment"]);
});

const kindsOf = (text: string) => [...text.matchAll(/^kind: (.*)$/gm)].map(([, kind]) => kind);

it("undeploy leaves data, secrets and the namespace that holds them", async () => {
  const { code, output, calls } = await script("undeploy.sh", "--overlay", overlay);
  expect([code, output]).toEqual([0, expect.stringContaining("data and secrets are still in the namespace millrace")]);
  expect(kindsOf(await readFile(join(cluster, "deleted"), "utf8"))).toEqual(["ConfigMap", "Deployment"]);
  expect(verbs(calls)).toEqual([
    `kustomize ${overlay}`,
    "delete --ignore-not-found --cascade=foreground",
    "delete configmap --selector",
  ]);
  // "It is gone" is said when the pods are, not when they have been told to go.
  expect(calls[1]).toContain("--cascade=foreground --wait");
});

it("undeploy takes all of it only when it is told so", async () => {
  const { calls } = await script("undeploy.sh", "--overlay", overlay, "--data");
  // Workloads are told first, and the namespace takes the data along. Named inside of itself it makes kubectl warn.
  expect(kindsOf(await readFile(join(cluster, "deleted"), "utf8"))).toEqual(["ConfigMap", "Deployment"]);
  expect(calls.at(-1)).toBe("delete namespace millrace --ignore-not-found --wait");
  const { output } = await script("undeploy.sh", "--overlay", overlay, "--data", "--dry-run");
  expect(kindsOf(output)).toEqual(["Namespace", "ConfigMap", "PersistentVolumeClaim", "Deployment"]);
});

it("namespace and context go to every call", async () => {
  await mkdir(join(cluster, "secrets/millrace-secrets"));
  const options = ["--overlay", overlay, "--namespace", "kv", "--context", "kind-kind"];
  const { calls } = await script("deploy.sh", ...options);
  const asked = calls.filter((call) => !call.startsWith("kustomize "));
  expect(asked.length).toBeGreaterThan(3);
  for (const call of asked) expect(call).toMatch(/^--context kind-kind --namespace kv /);
});

it("an option that is not known is refused before anything is done", async () => {
  expect(await script("undeploy.sh", "--overlay", overlay, "--dta")).toMatchObject({ code: 1, calls: [] });
});

const kubectl = spawnSync("kubectl", ["kustomize", "--help"]).status === 0;
it.skipIf(!kubectl)(`a dry run renders with the real kubectl${kubectl ? "" : " (there is none here)"}`, async () => {
  await rm(join(cluster, "bin/kubectl"));
  await writeFile(join(overlay, "kustomization.yaml"), "resources: [x.yaml]\n");
  await writeFile(join(overlay, "x.yaml"), DOCUMENTS);
  const { code, output } = await script("undeploy.sh", "--overlay", overlay, "--dry-run");
  expect([code, kindsOf(output)]).toEqual([0, ["ConfigMap", "Deployment"]]);
});
