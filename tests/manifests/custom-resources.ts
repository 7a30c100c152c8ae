/**
 * The kinds that others add to Kubernetes, as far as we use them. Strict: a field that is not here is either a slip, or
 * one that somebody looked up and adds here.
 */
import { z } from "zod";
import { type Manifest, titleOf } from "./manifest.ts";
import {
  alertmanagerConfig,
  count,
  duration,
  labels,
  podMonitor,
  prometheusRule,
  serviceMonitor,
  text,
} from "./monitoring-resources.ts";

const scaledObject = z.strictObject({
  scaleTargetRef: z.strictObject({ apiVersion: text.optional(), kind: text.optional(), name: text }),
  pollingInterval: z.int().min(1).optional(),
  cooldownPeriod: count.optional(),
  // One alone would be missing for minutes when its node is lost.
  minReplicaCount: z.int().min(2),
  maxReplicaCount: z.int().min(1),
  fallback: z.strictObject({
    failureThreshold: z.int().min(1),
    replicas: count,
    behavior: z.enum(["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"]).optional(),
  }),
  advanced: z
    .strictObject({
      restoreToOriginalReplicaCount: z.boolean().optional(),
      horizontalPodAutoscalerConfig: z
        .strictObject({ name: text.optional(), behavior: z.record(z.string(), z.unknown()).optional() })
        .optional(),
    })
    .optional(),
  triggers: z
    .array(
      z.discriminatedUnion("type", [
        z.strictObject({
          type: z.literal("prometheus"),
          name: text.optional(),
          metadata: z.strictObject({
            serverAddress: z.url(),
            query: text,
            threshold: z.string().regex(/^\d+$/),
            activationThreshold: z.string().regex(/^\d+$/).optional(),
            // Left to itself it is "true", and a metric that is missing an empty backlog.
            ignoreNullValues: z.literal("false"),
          }),
        }),
        z.strictObject({
          type: z.literal("redis-sentinel-streams"),
          name: text.optional(),
          authenticationRef: z.strictObject({ name: text, kind: text.optional() }),
          metadata: z.strictObject({
            addresses: text,
            sentinelMaster: text,
            username: text.optional(),
            sentinelUsername: text.optional(),
            stream: text,
            consumerGroup: text,
            lagCount: z.string().regex(/^\d+$/),
            enableTLS: z.enum(["true", "false"]).optional(),
          }),
        }),
      ]),
    )
    .min(1),
});

const triggerAuthentication = z.strictObject({
  secretTargetRef: z.array(z.strictObject({ parameter: text, name: text, key: text })).min(1),
});

const hostname = z.hostname();
const portNumber = z.int().min(1).max(65535);

const gateway = z.strictObject({
  gatewayClassName: text,
  listeners: z
    .array(
      z.strictObject({
        name: text,
        protocol: z.enum(["HTTP", "HTTPS", "TLS"]),
        port: portNumber,
        hostname: hostname.optional(),
        tls: z
          .strictObject({
            mode: z.enum(["Terminate", "Passthrough"]),
            certificateRefs: z.array(z.strictObject({ kind: z.literal("Secret"), name: text })).min(1),
          })
          .optional(),
        allowedRoutes: z
          .strictObject({ namespaces: z.strictObject({ from: z.enum(["Same", "All", "Selector"]) }) })
          .optional(),
      }),
    )
    .min(1),
});

const httpRoute = z.strictObject({
  parentRefs: z.array(z.strictObject({ name: text, sectionName: text.optional() })).min(1),
  hostnames: z.array(hostname).optional(),
  rules: z.array(
    z.strictObject({
      matches: z
        .array(
          z.strictObject({ path: z.strictObject({ type: z.enum(["PathPrefix", "Exact"]), value: text }).optional() }),
        )
        .optional(),
      filters: z
        .array(
          z.strictObject({
            type: z.literal("RequestRedirect"),
            requestRedirect: z.strictObject({
              scheme: z.literal("https"),
              statusCode: z.union([z.literal(301), z.literal(302)]),
            }),
          }),
        )
        .optional(),
      backendRefs: z.array(z.strictObject({ name: text, port: portNumber, weight: count.optional() })).optional(),
      timeouts: z.strictObject({ request: duration.optional(), backendRequest: duration.optional() }).optional(),
    }),
  ),
});

const certificate = z.strictObject({
  secretName: text,
  dnsNames: z.array(text).min(1),
  issuerRef: z.strictObject({ name: text, kind: z.enum(["Issuer", "ClusterIssuer"]), group: text.optional() }),
  duration: duration.optional(),
  renewBefore: duration.optional(),
  usages: z.array(text).optional(),
  commonName: text.optional(),
  privateKey: z
    .strictObject({
      algorithm: z.enum(["RSA", "ECDSA", "Ed25519"]).optional(),
      size: z.int().optional(),
      rotationPolicy: z.enum(["Always", "Never"]).optional(),
    })
    .optional(),
  isCA: z.boolean().optional(),
});

const issuer = z.strictObject({
  ca: z.strictObject({ secretName: text }).optional(),
  selfSigned: z.strictObject({}).optional(),
});

const SPECS: Readonly<Record<string, z.ZodType>> = {
  "keda.sh/v1alpha1 ScaledObject": scaledObject,
  "keda.sh/v1alpha1 TriggerAuthentication": triggerAuthentication,
  "monitoring.coreos.com/v1 ServiceMonitor": serviceMonitor,
  "monitoring.coreos.com/v1 PodMonitor": podMonitor,
  "monitoring.coreos.com/v1 PrometheusRule": prometheusRule,
  "monitoring.coreos.com/v1alpha1 AlertmanagerConfig": alertmanagerConfig,
  "gateway.networking.k8s.io/v1 Gateway": gateway,
  "gateway.networking.k8s.io/v1 HTTPRoute": httpRoute,
  "cert-manager.io/v1 Certificate": certificate,
  "cert-manager.io/v1 Issuer": issuer,
};

const metadata = z.strictObject({
  name: text,
  namespace: text.optional(),
  labels: labels.optional(),
  annotations: labels.optional(),
});

/** @returns null for a kind that is not among them */
export function checkCustomResource(manifest: Manifest): string[] | null {
  const spec = SPECS[`${manifest.apiVersion} ${manifest.kind}`];
  if (spec === undefined) return null;
  const parsed = z.strictObject({ apiVersion: text, kind: text, metadata, spec }).safeParse(manifest);
  if (parsed.success) return [];
  return parsed.error.issues.map(
    (issue) => `${titleOf(manifest)}: ${issue.path.map(String).join(".")}: ${issue.message}`,
  );
}
