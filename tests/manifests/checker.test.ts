/**
 * Does the checker find what it is there for? What is rendered is broken in one place at a time, and each must be told.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { brokenObjects } from "./broken-objects.ts";
import { brokenReferences } from "./broken-references.ts";
import { checkManifests } from "./check.ts";
import type { Manifest } from "./manifest.ts";
import { renderWith, withoutKubectl } from "./render.ts";

const HOST = "kv.example.test";

describe.skipIf(withoutKubectl !== null)(
  `the checker${withoutKubectl === null ? "" : ` (skipped: ${withoutKubectl})`}`,
  { timeout: 60_000 },
  () => {
    let sound: string;
    beforeAll(async () => {
      sound = JSON.stringify(await renderWith("prod", ["keda"], HOST));
    }, 120_000);

    it("has nothing to say of what is sound", () => {
      expect(checkManifests(JSON.parse(sound) as Manifest[])).toEqual([]);
    });

    it.each([...brokenObjects, ...brokenReferences])("finds $name", ({ of, at, to, told }) => {
      const manifests = JSON.parse(sound) as Manifest[];
      change(manifests, of, at, to);
      expect(checkManifests(manifests).join("\n")).toMatch(told);
    });

    it("finds an object that is there twice, a Secret, and what no site has filled in", () => {
      const manifests = JSON.parse(sound) as Manifest[];
      const [first] = manifests.filter(({ kind }) => kind === "Service");
      const secret = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "millrace-secrets", namespace: "millrace" },
      };
      const unset = { ...first, metadata: { name: "set-by-site", namespace: "millrace" } } as Manifest;
      const faults = checkManifests([...manifests, first as Manifest, secret, unset]).join("\n");
      expect(faults).toMatch(/is there twice/);
      expect(faults).toMatch(/no Secret may stand in the repository/);
      expect(faults).toMatch(/was left without its site's facts/);
    });
  },
);

/** ConfigMaps are found without the hash behind their names. */
function change(manifests: Manifest[], of: string, at: string, to: unknown): void {
  const [kind, name] = of.split("/");
  const index = manifests.findIndex(
    (manifest) => manifest.kind === kind && manifest.metadata.name.replace(/-[a-z0-9]{10}$/, "") === name,
  );
  expect(index, of).toBeGreaterThanOrEqual(0);
  const document = parseDocument(JSON.stringify(manifests[index]));
  const path = at.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  if (to === undefined) expect(document.deleteIn(path), at).toBe(true);
  else document.setIn(path, to);
  manifests[index] = document.toJS() as Manifest;
}
