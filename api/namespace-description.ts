/**
 * The settings of namespaces over HTTP, as schemas.
 */
import { z } from "zod";
import { settingsSchema } from "./namespaces.ts";
import { keyParameters, revisionSchema } from "./openapi/parameters.ts";

export const namespaceParameters = { namespace: keyParameters.namespace };

export const listedNamespaceSchema = z
  .strictObject({ namespace: z.string(), settings: settingsSchema, revision: revisionSchema })
  .meta({ id: "ListedNamespace" });

export const namespaceSchema = z
  .strictObject({
    namespace: z.string(),
    settings: settingsSchema.describe("Those that were set; for all others the defaults hold."),
    usage: z
      .strictObject({ keys: z.int().min(0), bytes: z.int() })
      .describe("What it holds: keys, those that have expired and are not yet removed too; bytes of keys and values."),
    pinned: z.boolean().describe("All its keys share one partition: its name begins with `@`."),
    partition: z.int().min(0).optional().describe("The partition of a pinned one."),
  })
  .meta({ id: "Namespace" });

export const changedSettingsSchema = z.strictObject({ settings: settingsSchema });
