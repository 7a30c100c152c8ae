/** One figure of a process' metrics page. */

/** @param series name and labels as on the page, `millrace_x{a="b"}`; 0 when it is not there */
export async function metricOf(service: { readonly opsUrl: string }, series: string): Promise<number> {
  const page = await (await fetch(`${service.opsUrl}/metrics`)).text();
  const line = page.split("\n").find((text) => text.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}
