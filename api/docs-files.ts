/**
 * What the pages for people load: Swagger UI from its installed package, and a few lines of our own. Each file's name holds
 * a hash of its content, so that browsers may keep it for ever.
 */
import { fingerprint, type StaticDocument, staticDocument } from "./static-answer.ts";

/** Starts Swagger UI: without its bar for other documents, and without its badge, which asks a host elsewhere. */
const START_SCRIPT = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
`;

const PAGE_STYLE = `:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 0; }
dt { font-weight: 600; }
dd { margin: 0 0 0.75rem; }
li { margin: 0.25rem 0; }
code { font: 0.9em ui-monospace, monospace; }
`;

const FILES = {
  "swagger-ui.css": { type: "text/css; charset=utf-8", from: "swagger-ui-dist/swagger-ui.css" },
  "swagger-ui-bundle.js": { type: "text/javascript; charset=utf-8", from: "swagger-ui-dist/swagger-ui-bundle.js" },
  "favicon-32x32.png": { type: "image/png", from: "swagger-ui-dist/favicon-32x32.png" },
  "start.js": { type: "text/javascript; charset=utf-8", text: START_SCRIPT },
  "page.css": { type: "text/css; charset=utf-8", text: PAGE_STYLE },
} as const satisfies Record<string, { type: string } & ({ from: string } | { text: string })>;

export type DocsFile = keyof typeof FILES;

export const DOCS_PREFIX = "/docs/";

const FOR_EVER = "public, max-age=31536000, immutable";

export class DocsFiles {
  readonly #read: (name: string) => Promise<Uint8Array>;
  readonly #loaded = new Map<DocsFile, Promise<{ readonly name: string; readonly document: StaticDocument }>>();

  /** @param read gives the bytes of `package/path/of/file` */
  constructor(read: (name: string) => Promise<Uint8Array>) {
    this.#read = read;
  }

  /** The path at which a file is served. */
  async pathOf(file: DocsFile): Promise<string> {
    return `${DOCS_PREFIX}${(await this.#load(file)).name}`;
  }

  /** @returns null when there is no file of that name */
  async find(name: string): Promise<StaticDocument | null> {
    for (const file of Object.keys(FILES) as DocsFile[]) {
      if (!name.startsWith(file.slice(0, file.lastIndexOf(".")))) continue;
      const loaded = await this.#load(file);
      if (loaded.name === name) return loaded.document;
    }
    return null;
  }

  /** Reads a file when it is first asked for: most processes never are. */
  #load(file: DocsFile) {
    const known = this.#loaded.get(file);
    if (known !== undefined) return known;
    const loading = this.#make(file);
    this.#loaded.set(file, loading);
    // A file that could not be read is looked for again.
    loading.catch(() => this.#loaded.delete(file));
    return loading;
  }

  async #make(file: DocsFile) {
    const about = FILES[file];
    const body = "text" in about ? about.text : await this.#read(about.from);
    const dot = file.lastIndexOf(".");
    return {
      name: `${file.slice(0, dot)}.${await fingerprint(body)}${file.slice(dot)}`,
      document: await staticDocument(body, { "Content-Type": about.type, "Cache-Control": FOR_EVER }),
    };
  }
}
