/** Reads a Dockerfile as far as ours go: which stages there are, and what the image of one of them is made of. */

export interface Instruction {
  /** In capitals: `COPY`. */
  readonly word: string;
  /** What follows it, continued lines joined. */
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  /** An image, or the name of an earlier stage. */
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

export interface Copy {
  /** The stage that it comes from; undefined: what is sent to the build. */
  readonly from: string | undefined;
  readonly owner: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}

/** What a container of a stage is made of, with all that the stages below it say. */
export interface Image {
  readonly base: string;
  readonly user: string;
  readonly folder: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly copies: readonly Copy[];
}

/** @throws Error at an instruction that stands before the first stage, or has no name for its stage */
export function parseDockerfile(text: string): Stage[] {
  const lines = text.replaceAll(/^\s*#.*\n/gm, "").replaceAll(/\\\n\s*/g, "");
  const stages: { name: string; from: string; instructions: Instruction[] }[] = [];
  for (const line of lines.split("\n").filter((each) => each.trim() !== "")) {
    const [, word = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (word === "FROM") {
      const [, from, name] = /^(\S+) AS (\S+)$/.exec(rest) ?? [];
      if (from === undefined || name === undefined) throw new Error(`no name for a stage: ${line}`);
      stages.push({ name, from, instructions: [] });
    } else {
      const stage = stages.at(-1);
      if (stage === undefined || word !== word.toUpperCase() || word === "") throw new Error(`not understood: ${line}`);
      stage.instructions.push({ word, text: rest });
    }
  }
  return stages;
}

/** The stage and all that it is built on, the lowest first. */
export function stagesBelow(stages: readonly Stage[], name: string): Stage[] {
  const stage = stages.find((each) => each.name === name);
  return stage === undefined ? [] : [...stagesBelow(stages, stage.from), stage];
}

/** @throws Error where there is no such stage */
export function imageOf(stages: readonly Stage[], name: string): Image {
  const below = stagesBelow(stages, name);
  const [lowest] = below;
  if (lowest === undefined) throw new Error(`the Dockerfile has no stage ${name}`);
  const instructions = below.flatMap((stage) => stage.instructions);
  const all = (word: string) => instructions.filter((each) => each.word === word).map(({ text }) => text);
  const variables = Object.fromEntries(all("ARG").map((text) => pair(text)));
  return {
    base: lowest.from,
    user: all("USER").at(-1) ?? "",
    folder: all("WORKDIR").at(-1) ?? "/",
    entrypoint: execForm(all("ENTRYPOINT").at(-1)),
    command: execForm(all("CMD").at(-1)),
    environment: Object.fromEntries(all("ENV").flatMap(pairs)),
    labels: Object.fromEntries(
      all("LABEL")
        .flatMap(pairs)
        .map(([key, value]) => [
          key,
          value.replace(/^\$\{(\w+)\}$/, (_, variable: string) => variables[variable] ?? ""),
        ]),
    ),
    ports: all("EXPOSE").flatMap((text) => text.split(" ")),
    copies: all("COPY").map(parseCopy),
  };
}

/** @throws SyntaxError where it is for a shell, which would be process 1 in place of the program */
function execForm(text: string | undefined): string[] {
  return text === undefined ? [] : (JSON.parse(text) as string[]);
}

export function parseCopy(text: string): Copy {
  const words = text.split(/\s+/);
  const flag = (name: string) => words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
  const paths = words.filter((word) => !word.startsWith("--"));
  return { from: flag("from"), owner: flag("chown"), sources: paths.slice(0, -1), target: paths.at(-1) ?? "" };
}

function pairs(text: string): [string, string][] {
  return [...text.matchAll(/[\w.]+=(?:"[^"]*"|\S+)/g)].map(([each]) => pair(each));
}

function pair(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1).replaceAll('"', "")];
}

/** Is a file kept away from builds? As `.dockerignore` is read: the last line that matches it, or a folder of it, decides. */
export function ignoredBy(text: string): (path: string) => boolean {
  const rules = text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ keeps: line.startsWith("!"), pattern: globPattern(line.replace(/^!/, "")) }));
  return (path) => {
    const parts = path.split("/");
    const names = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
    const rule = rules.findLast(({ pattern }) => names.some((name) => pattern.test(name)));
    return rule !== undefined && !rule.keeps;
  };
}

/** `*` is anything but a slash, and two of them with a slash any folders. */
export function globPattern(glob: string): RegExp {
  const escaped = glob.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
  const pattern = escaped.replaceAll(/\*\*\/|\*/g, (star) => (star === "*" ? "[^/]*" : "(?:.*/)?"));
  return new RegExp(`^${pattern}$`);
}
