/**
 * Everything that rendered manifests are held to. Each fault is a line that says where and what.
 */
import { checkCustomResource } from "./custom-resources.ts";
import { checkEnvironments } from "./environment.ts";
import { checkFlows } from "./flows.ts";
import { checkKubernetesTypes } from "./kubernetes-types.ts";
import { type Manifest, titleOf } from "./manifest.ts";
import { checkNetworking } from "./networking.ts";
import { checkPods } from "./pod-policies.ts";
import { checkReferences } from "./references.ts";

/** They belong to no namespace. */
const CLUSTER_WIDE = ["Namespace", "ClusterRole", "ClusterRoleBinding", "GatewayClass", "StorageClass"];

/** What of an overlay's does not hold; the rest goes by what the types say, and is looked at only once they hold. */
export function checkManifests(manifests: readonly Manifest[]): string[] {
  const mistyped = manifests.flatMap(
    (manifest) =>
      checkKubernetesTypes(manifest) ??
      checkCustomResource(manifest) ?? [`${titleOf(manifest)}: there is no ${manifest.kind} in ${manifest.apiVersion}`],
  );
  if (mistyped.length > 0) return mistyped;
  return [
    ...checkIdentities(manifests),
    ...checkPods(manifests),
    ...checkReferences(manifests),
    ...checkNetworking(manifests),
    ...checkFlows(manifests),
    ...checkEnvironments(manifests),
  ];
}

function checkIdentities(manifests: readonly Manifest[]): string[] {
  const seen = new Set<string>();
  return manifests.flatMap((manifest) => {
    const { apiVersion, kind, metadata } = manifest;
    const id = `${apiVersion} ${kind} ${metadata.namespace} ${metadata.name}`;
    const faults: string[] = [];
    if (seen.has(id)) faults.push("is there twice");
    seen.add(id);
    if (CLUSTER_WIDE.includes(kind) === (metadata.namespace !== undefined)) {
      faults.push(metadata.namespace === undefined ? "has no namespace" : "belongs to no namespace");
    }
    // What ../../k8s/components/site should have put in its place.
    if (JSON.stringify(manifest).includes("set-by-site")) faults.push("was left without its site's facts");
    return faults.map((fault) => `${titleOf(manifest)}: ${fault}`);
  });
}
