import { describe, expect, it } from "vitest";
import { waitFor } from "../../tests/harness/wait-for.ts";
import type { Child } from "./child.ts";
import { superviseProcess } from "./supervisor.ts";

/** A process that ends when it is told to. */
function fakeChild(): { child: Child; end: () => void } {
  let running = true;
  let end = (): void => undefined;
  const exited = new Promise<number | null>((resolve) => {
    end = () => {
      running = false;
      resolve(null);
    };
  });
  const child: Child = {
    pid: 1,
    get running() {
      return running;
    },
    exited,
    lines: () => [],
    signal: () => end(),
    stop: () => {
      end();
      return exited;
    },
  };
  return { child, end: () => end() };
}

function watched(failures: readonly string[] = []) {
  const faults = [...failures];
  const started: ReturnType<typeof fakeChild>[] = [];
  const said: string[] = [];
  const supervisor = superviseProcess({
    name: "api",
    start: async (spawned) => {
      const next = fakeChild();
      started.push(next);
      spawned(next.child);
      const fault = faults.shift();
      if (fault === undefined || fault === "") return;
      next.end();
      throw new Error(fault);
    },
    say: (line) => said.push(line),
    delays: { firstMs: 1, longestMs: 4 },
  });
  return { supervisor, started, said };
}

describe("the supervisor of a process", () => {
  it("starts it again when it ends by itself, and says so", async () => {
    const { supervisor, started, said } = watched();
    await supervisor.started;
    started[0]?.end();
    await waitFor(() => said.includes("!!! api runs again"));
    expect(said[0]).toBe("!!! api ended by itself; starting it again in 1 ms");
    expect(started).toHaveLength(2);
    await supervisor.stop(0);
  });

  it("goes on trying when it cannot be started again, later each time", async () => {
    const { supervisor, started, said } = watched(["", "no port", "no port", "no port"]);
    await supervisor.started;
    started[0]?.end();
    await waitFor(() => said.includes("!!! api runs again"));
    expect(said.filter((line) => line === "!!! no port")).toHaveLength(3);
    expect(said.filter((line) => line.includes("starting")).map((line) => line.slice(-5))).toEqual([
      " 1 ms",
      " 2 ms",
      " 4 ms",
      " 4 ms",
    ]);
    await supervisor.stop(0);
  });

  it("does not try again when the first start fails", async () => {
    const { supervisor, started } = watched(["no port"]);
    await expect(supervisor.started).rejects.toThrow("no port");
    await supervisor.stop(0);
    expect(started).toHaveLength(1);
  });

  it("does not start it again after it was stopped or killed", async () => {
    for (const end of ["stop", "kill"] as const) {
      const { supervisor, started, said } = watched();
      await supervisor.started;
      await supervisor[end](0);
      await supervisor.stop(0);
      expect(started).toHaveLength(1);
      expect(said).toEqual([]);
    }
  });
});
