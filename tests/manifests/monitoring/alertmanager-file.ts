/** alertmanager.yml as it is read, and as the Alertmanager of this machine takes it. */
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { root } from "./programs.ts";
import { readYaml } from "./rules-file.ts";

export interface Route {
  readonly receiver: string;
  readonly group_by?: readonly string[];
  readonly matchers: readonly string[];
  readonly group_wait?: string;
  readonly group_interval?: string;
  readonly repeat_interval?: string;
}

export interface Telegram {
  readonly bot_token_file: string;
  readonly chat_id: number;
  readonly parse_mode: string;
  readonly message: string;
  readonly send_resolved: boolean;
}

export interface Webhook {
  readonly url: string;
  readonly send_resolved: boolean;
  readonly max_alerts: number;
}

export interface Receiver {
  readonly name: string;
  readonly telegram_configs?: readonly Telegram[];
  readonly webhook_configs?: readonly Webhook[];
}

export interface AlertmanagerFile {
  readonly global: Readonly<Record<string, string>>;
  readonly templates: readonly string[];
  readonly route: Omit<Route, "matchers"> & { readonly routes: readonly Route[] };
  readonly inhibit_rules: readonly {
    readonly source_matchers: readonly string[];
    readonly target_matchers: readonly string[];
    readonly equal: readonly string[];
  }[];
  readonly receivers: readonly Receiver[];
}

export function readAlertmanagerFile(): AlertmanagerFile {
  return readYaml("infra/monitoring/alertmanager.yml") as AlertmanagerFile;
}

/**
 * Writes it where its templates are found, with a token that is none. Alertmanager knows bot_token_file since 0.26; an older
 * one, Debian 12's, is given the token itself.
 * @returns the path
 */
export async function writeForThisAlertmanager(file: AlertmanagerFile, folder: string): Promise<string> {
  const tokenFile = join(folder, "telegram-bot-token");
  await writeFile(tokenFile, "none");
  const token = knowsTokenFiles() ? { bot_token_file: tokenFile } : { bot_token_file: undefined, bot_token: "none" };
  const receivers = file.receivers.map(({ telegram_configs: telegrams, ...rest }) => ({
    ...rest,
    ...(telegrams && { telegram_configs: telegrams.map((telegram) => ({ ...telegram, ...token })) }),
  }));
  const templates = file.templates.map((path) => join(root, "infra/monitoring", path));
  const path = join(folder, "alertmanager.yml");
  await writeFile(path, stringify({ ...file, templates, receivers }, { aliasDuplicateObjects: false }));
  return path;
}

function knowsTokenFiles(): boolean {
  const { stdout, stderr } = spawnSync("amtool", ["--version"], { encoding: "utf8" });
  const [, major = "0", minor = "0"] = /version (\d+)\.(\d+)/.exec(`${stdout}${stderr}`) ?? [];
  return Number(major) > 0 || Number(minor) >= 26;
}
