/**
 * The object of kube-prometheus-stack that says what alertmanager.yml says. Secrets are keys of a Secret there, and the
 * template is written out, because that Alertmanager has no files of ours.
 */
import type { AlertmanagerFile, Receiver, Route, Telegram, Webhook } from "./alertmanager-file.ts";

/** Made by the operator of the cluster: see ../../../infra/monitoring/kustomization.yaml. */
const SECRET = "millrace-alerting";

export function alertmanagerConfig(file: AlertmanagerFile, template: string): object {
  const { routes, receiver, group_by: groupBy } = file.route;
  return {
    apiVersion: "monitoring.coreos.com/v1alpha1",
    kind: "AlertmanagerConfig",
    metadata: { name: "millrace" },
    spec: {
      route: { receiver, groupBy, routes: routes.map(routeOf) },
      inhibitRules: file.inhibit_rules.map(({ source_matchers, target_matchers, equal }) => ({
        sourceMatch: source_matchers.map(matcherOf),
        targetMatch: target_matchers.map(matcherOf),
        equal,
      })),
      receivers: file.receivers.map((each) => receiverOf(each, bodyOf(template))),
    },
  };
}

function routeOf({ receiver, matchers, group_wait, group_interval, repeat_interval }: Route): object {
  return {
    receiver,
    matchers: matchers.map(matcherOf),
    groupWait: group_wait,
    groupInterval: group_interval,
    repeatInterval: repeat_interval,
  };
}

function receiverOf({ name, telegram_configs: telegrams, webhook_configs: webhooks }: Receiver, message: string) {
  return {
    name,
    ...(telegrams && { telegramConfigs: telegrams.map((telegram) => telegramOf(telegram, message)) }),
    ...(webhooks && { webhookConfigs: webhooks.map(webhookOf) }),
  };
}

function telegramOf({ chat_id, parse_mode, send_resolved }: Telegram, message: string): object {
  return {
    botToken: { name: SECRET, key: "telegram-bot-token" },
    chatID: chat_id,
    parseMode: parse_mode,
    sendResolved: send_resolved,
    message,
  };
}

function webhookOf({ send_resolved, max_alerts }: Webhook): object {
  return { urlSecret: { name: SECRET, key: "webhook-url" }, sendResolved: send_resolved, maxAlerts: max_alerts };
}

/** `name =~ "value"` */
function matcherOf(text: string): object {
  const [, name, matchType, value] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/.exec(text) ?? [];
  if (name === undefined) throw new Error(`not a matcher: ${text}`);
  return { name, value, matchType };
}

/** What stands between define and end. */
function bodyOf(template: string): string {
  const body = /^\{\{ define "[^"]+" -\}\}\n([\s\S]*)\n\{\{- end \}\}\n$/.exec(template)?.[1];
  if (body === undefined) throw new Error("the template is not one define");
  return body;
}
