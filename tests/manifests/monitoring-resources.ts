/**
 * The kinds of Prometheus' operator, as far as we use them; for custom-resources.ts.
 */
import { z } from "zod";

export const text = z.string().min(1);
export const labels = z.record(z.string(), z.string());
export const duration = z.string().regex(/^(\d+(ms|s|m|h|d))+$/);
const selector = z.strictObject({ matchLabels: labels.optional(), matchExpressions: z.array(z.unknown()).optional() });
export const count = z.int().min(0);
const secretKey = z.strictObject({ name: text, key: text, optional: z.boolean().optional() });

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

export const serviceMonitor = z.strictObject({
  selector,
  namespaceSelector: namespaces.optional(),
  jobLabel: text.optional(),
  targetLabels: z.array(text).optional(),
  podTargetLabels: z.array(text).optional(),
  endpoints: z.array(endpoint).min(1),
});

export const podMonitor = z.strictObject({
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

export const prometheusRule = z.strictObject({
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

export const alertmanagerConfig = z.strictObject({
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
        webhookConfigs: z
          .array(
            z.strictObject({
              sendResolved: z.boolean().optional(),
              url: z.url().optional(),
              urlSecret: secretKey.optional(),
              maxAlerts: count.optional(),
            }),
          )
          .optional(),
      }),
    )
    .min(1),
});
