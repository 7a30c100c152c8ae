/** Where batches are sent, which take as long as they flow. */
export const BATCH_PREFIX = "/v1/batch/";
