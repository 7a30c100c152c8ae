/**
 * The kinds that others add to Kubernetes, as far as we use them. Strict: a field that is not here is either a slip, or
 * one that somebody looked up and adds here.
 */
import { z } from "zod";
import { type Manifest, titleOf } from "./manifest.ts";

const text = z.string().min(1);
const labels = z.record(z.string(), z.string());
const duration = z.string().regex(/^(\d+(ms|s|m|h|d))+$/);
const selector = z.strictObject({ matchLabels: labels.optional(), matchExpressions: z.array(z.unknown()).optional() });
const count = z.int().min(0);
const secretKey = z.strictObject({ name: text, key: text, optional: z.boolean().optional() });

const scaledObject = z.strictObject({
  scaleTargetRef: z.strictObject({ apiVersion: text.optional(), kind: text.optional(), name: text }),
  pollingInterval: z.int().min(1).optional(),
  cooldownPeriod: count.optional(),
  minReplicaCount: count,
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

const relabelling = z.strictObject({
  sourceLabels: z.array(text).optional(),
  separator: z.string().optional(),
  targetLabel: text.optional(),
  regex: text.optional(),
  replacement: z.string().optional(),
  action: text.optional(),
});

const endpoint = z.strictObject({
  port: text,
  path: text.optional(),
  interval: duration.optional(),
  scrapeTimeout: duration.optional(),
  scheme: z.enum(["http", "https"]).optional(),
  honorLabels: z.boolean().optional(),
  relabelings: z.array(relabelling).optional(),
  metricRelabelings: z.array(relabelling).optional(),
});

const namespaces = z.strictObject({ any: z.boolean().optional(), matchNames: z.array(text).optional() });

const serviceMonitor = z.strictObject({
  selector,
  namespaceSelector: namespaces.optional(),
  jobLabel: text.optional(),
  targetLabels: z.array(text).optional(),
  podTargetLabels: z.array(text).optional(),
  endpoints: z.array(endpoint).min(1),
});

const podMonitor = z.strictObject({
  selector,
  namespaceSelector: namespaces.optional(),
  jobLabel: text.optional(),
  podTargetLabels: z.array(text).optional(),
  podMetricsEndpoints: z.array(endpoint).min(1),
});

const rule = z
  .strictObject({
    alert: text.optional(),
    record: text.optional(),
    expr: text,
    for: duration.optional(),
    keep_firing_for: duration.optional(),
    labels: labels.optional(),
    annotations: labels.optional(),
  })
  .refine(({ alert, record }) => (alert === undefined) !== (record === undefined), "is either an alert or a record");

const prometheusRule = z.strictObject({
  groups: z
    .array(
      z.strictObject({
        name: text,
        interval: duration.optional(),
        limit: count.optional(),
        labels: labels.optional(),
        rules: z.array(rule).min(1),
      }),
    )
    .min(1),
});

const matcher = z.strictObject({
  name: text,
  value: z.string(),
  matchType: z.enum(["=", "!=", "=~", "!~"]).optional(),
});

const route: z.ZodType = z.strictObject({
  receiver: text.optional(),
  groupBy: z.array(text).optional(),
  groupWait: duration.optional(),
  groupInterval: duration.optional(),
  repeatInterval: duration.optional(),
  matchers: z.array(matcher).optional(),
  continue: z.boolean().optional(),
  muteTimeIntervals: z.array(text).optional(),
  get routes() {
    return z.array(route).optional();
  },
});

const alertmanagerConfig = z.strictObject({
  route,
  inhibitRules: z
    .array(
      z.strictObject({
        sourceMatch: z.array(matcher),
        targetMatch: z.array(matcher),
        equal: z.array(text).optional(),
      }),
    )
    .optional(),
  receivers: z
    .array(
      z.strictObject({
        name: text,
        telegramConfigs: z
          .array(
            z.strictObject({
              sendResolved: z.boolean().optional(),
              apiURL: z.url().optional(),
              botToken: secretKey.optional(),
              botTokenFile: text.optional(),
              chatID: z.int(),
              messageThreadID: z.int().optional(),
              message: text.optional(),
              parseMode: z.enum(["MarkdownV2", "Markdown", "HTML"]).optional(),
              disableNotifications: z.boolean().optional(),
            }),
          )
          .optional(),
      }),
    )
    .min(1),
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
