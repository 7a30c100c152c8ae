/**
 * JSON Schemas of many zod schemas, made in one go: those with an id in their metadata become components, once.
 */
import { z } from "zod";

export type JsonSchema = Record<string, unknown>;

/** Schemas in, places in the document out. */
export class JsonSchemas {
  readonly #places = new Map<z.ZodType, JsonSchema>();

  /** @returns the object that holds the schema's document once {@link finish} was called */
  of(schema: z.ZodType): JsonSchema {
    const known = this.#places.get(schema);
    if (known !== undefined) return known;
    const place: JsonSchema = {};
    this.#places.set(schema, place);
    return place;
  }

  /** Fills every place. @returns the components */
  finish(): Record<string, JsonSchema> {
    const schemas = [...this.#places.keys()];
    const together = z.toJSONSchema(
      z.object(Object.fromEntries(schemas.map((schema, index) => [`_${index}`, schema]))),
      {
        // What comes over the wire: query parameters before they are read, and answers, which are not changed on their way.
        io: "input",
        override: ({ jsonSchema }) => {
          // Who reads our documents must bear members that he does not know; our tests hold them against the exact schemas.
          if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
          // The format says it; the pattern knows of leap years, and nobody can read it.
          if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
          // A bound of JavaScript's numbers, and none of ours.
          if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
          if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
        },
      },
    );
    const { properties = {}, $defs = {} } = JSON.parse(
      JSON.stringify(together).replaceAll('"#/$defs/', '"#/components/schemas/'),
    ) as { properties?: Record<string, JsonSchema>; $defs?: Record<string, JsonSchema> };
    for (const [index, schema] of schemas.entries()) {
      const place = this.#places.get(schema) ?? {};
      Object.assign(place, properties[`_${index}`]);
      // Told where the schema is used.
      if (place.$ref === undefined) delete place.description;
      // What is used when it is left out: a reader of requests knows it, JSON Schema's input side does not.
      const absent = schema.safeParse(undefined);
      if (absent.success && absent.data !== undefined) place.default = absent.data;
    }
    return $defs;
  }
}
