/** Settings of namespaces, as tests give them. */
import { applied, type HttpClient, httpClient, WAIT } from "./http.ts";
import { waitFor } from "./wait-for.ts";

export const JSON_BODY = { "content-type": "application/json" } as const;

/** Replaces the settings of a namespace, and returns when that is applied. */
export async function setNamespace(client: HttpClient, namespace: string, settings: object): Promise<void> {
  const options = { headers: { ...JSON_BODY, ...WAIT.headers }, body: JSON.stringify(settings) };
  applied(await client.send("PUT", `/v1/namespaces/${namespace}`, options));
}

/** Waits until an API goes by settings that make writes of the namespace wait. */
export async function untilInEffect(url: string, namespace: string): Promise<void> {
  const client = httpClient(url, { sockets: 1 });
  await waitFor(async () => (await client.put(namespace, "settings-probe", "x")).status !== 202, {
    what: "settings in effect",
  });
}
