/**
 * skaffold.yaml as far as ours goes: every member that it uses, and none other. What skaffold itself takes is in its schema
 * v4beta13 (https://skaffold.dev/docs/references/yaml/); a misspelt member is not in this one.
 */
import { z } from "zod";

const docker = z.strictObject({ dockerfile: z.string(), target: z.string() });

const syncRule = z.strictObject({ src: z.string(), dest: z.string(), strip: z.string().optional() });

const artifact = z.strictObject({
  image: z.string(),
  docker,
  sync: z.strictObject({ manual: z.array(syncRule) }).optional(),
});

const build = z.strictObject({
  tagPolicy: z
    .union([z.strictObject({ inputDigest: z.strictObject({}) }), z.strictObject({ gitCommit: z.strictObject({}) })])
    .optional(),
  local: z.strictObject({ useBuildkit: z.boolean() }).optional(),
  artifacts: z.array(artifact).optional(),
});

const manifests = z.strictObject({ kustomize: z.strictObject({ paths: z.array(z.string()) }) });

const hostHook = z.strictObject({
  host: z.strictObject({ command: z.array(z.string()), os: z.array(z.enum(["linux", "darwin", "windows"])) }),
});

const deploy = z.strictObject({
  kubectl: z.strictObject({ hooks: z.strictObject({ before: z.array(hostHook) }) }),
  statusCheckDeadlineSeconds: z.int().positive(),
  tolerateFailuresUntilDeadline: z.boolean(),
});

const portForward = z.strictObject({
  resourceType: z.literal("service"),
  resourceName: z.string(),
  namespace: z.string(),
  port: z.int(),
  localPort: z.int(),
});

const verify = z.strictObject({
  name: z.string(),
  timeout: z.int(),
  container: z.strictObject({
    name: z.string(),
    image: z.string(),
    command: z.array(z.string()),
    args: z.array(z.string()),
  }),
  executionMode: z.strictObject({ kubernetesCluster: z.strictObject({ jobManifestPath: z.string() }) }),
});

const patch = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal("remove"), path: z.string() }),
  z.strictObject({ op: z.literal("add"), path: z.string(), value: z.unknown() }),
]);

const profile = z.strictObject({
  name: z.string(),
  activation: z.array(z.strictObject({ command: z.string() })).optional(),
  build: build.optional(),
  manifests: manifests.optional(),
  verify: z.array(verify).optional(),
  patches: z.array(patch).optional(),
});

export const skaffoldFile = z.strictObject({
  apiVersion: z.literal("skaffold/v4beta13"),
  kind: z.literal("Config"),
  metadata: z.strictObject({ name: z.string() }),
  build: build.required({ artifacts: true }),
  manifests,
  deploy,
  portForward: z.array(portForward),
  profiles: z.array(profile),
});

export type SkaffoldFile = z.output<typeof skaffoldFile>;
