import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { consumerConfigSchema } from "../../consumer/config.ts";
import { repoRoot } from "../../infra/local/repo-root.ts";

interface Container {
  readonly image: string;
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly resources: { readonly limits: Record<string, string> };
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface PodSpec {
  readonly securityContext: object;
  readonly automountServiceAccountToken: boolean;
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: never;
}

const read = (file: string) => readFileSync(join(repoRoot, "infra/backup", file), "utf8");
const documents = (file: string) => parseAllDocuments(read(file)).map((one) => one.toJS() as Manifest);
const named = (kind: string) => documents("backup.yaml").find((one) => one.kind === kind)?.spec;

const cronJob = named("CronJob") as unknown as {
  schedule: string;
  concurrencyPolicy: string;
  jobTemplate: { spec: { activeDeadlineSeconds: number; template: { spec: PodSpec } } };
};
const job = documents("restore-job.yaml")[0]?.spec as unknown as { backoffLimit: number; template: { spec: PodSpec } };
const pods = { backup: cronJob.jobTemplate.spec.template.spec, restore: job.template.spec };
const scripts = ["nodes.sh", "backup.sh", "restore.sh"].map(read).join("\n");

describe("backups on Kubernetes:", () => {
  test("two intervals and a run fit into what the log keeps by default", () => {
    const minutes = Number(/^\*\/(\d+) \* \* \* \*$/.exec(cronJob.schedule)?.[1]);
    const { activeDeadlineSeconds } = cronJob.jobTemplate.spec;
    const keptS = consumerConfigSchema.shape.MILLRACE_LOG_RETENTION_S.parse(undefined);
    expect(activeDeadlineSeconds).toBeLessThan(minutes * 60);
    expect(2 * minutes * 60 + activeDeadlineSeconds).toBeLessThanOrEqual(keptS);
    expect(cronJob.concurrencyPolicy).toBe("Forbid");
  });

  test.each(Object.entries(pods))("the %s pod keeps to Pod Security restricted, on a pinned image", (_name, pod) => {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    for (const container of pod.containers) {
      expect(container.image).toMatch(/^redis:\d+\.\d+\.\d+$/);
      expect(container.resources.limits.memory).toBeDefined();
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(container.volumeMounts.map(({ name }) => name).toSorted()).toEqual(
        pod.volumes.map(({ name }) => name).toSorted(),
      );
    }
  });

  test.each(Object.entries(pods))(
    "what the %s pod is told its script reads, and no password is written down",
    (_name, pod) => {
      const [container] = pod.containers;
      for (const { name } of container?.env ?? []) expect(scripts).toMatch(new RegExp(`\\$\\{?${name}\\b`));
      expect(container?.env.map(({ name }) => name)).not.toContain("REDISCLI_AUTH");
    },
  );

  test("the scripts that run are those of this folder", () => {
    const { configMapGenerator } = documents("kustomization.yaml")[0] as unknown as {
      configMapGenerator: { name: string; files: string[] }[];
    };
    const [{ name, files } = { name: "", files: [] }] = configMapGenerator;
    expect(files).toEqual(["backup.sh", "nodes.sh", "restore.sh"]);
    for (const pod of Object.values(pods)) {
      expect(JSON.stringify(pod.volumes)).toContain(`"configMap":{"name":"${name}"}`);
      const [, script = ""] = pod.containers[0]?.command ?? [];
      expect(files).toContain(script.replace("/etc/millrace/backup/", ""));
    }
  });
});
