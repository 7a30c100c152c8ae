/**
 * Every route of the app, with its description: what is not here is not served, and what is here is in the OpenAPI document.
 * In the order in which the document tells them; which path is matched first does not depend on it.
 */
import type { Route } from "./openapi/description.ts";
import { acceptPartitionLoss, acceptPartitionLossRoute } from "./routes/accept-partition-loss.ts";
import { cancelJob, cancelJobRoute } from "./routes/cancel-job.ts";
import { commitTransaction, commitTransactionRoute } from "./routes/commit-transaction.ts";
import { createJob, createJobRoute } from "./routes/create-job.ts";
import { deleteNamespace, deleteNamespaceRoute } from "./routes/delete-namespace.ts";
import { deleteValue, deleteValueRoute } from "./routes/delete-value.ts";
import { discardDeadLetter, discardDeadLetterRoute } from "./routes/discard-dead-letter.ts";
import { discardDeadLetters, discardDeadLettersRoute } from "./routes/discard-dead-letters.ts";
import { getCommand, getCommandRoute } from "./routes/get-command.ts";
import { getDeadLetter, getDeadLetterRoute } from "./routes/get-dead-letter.ts";
import { getDocs, getDocsRoute } from "./routes/get-docs.ts";
import { getDocsFile, getDocsFileRoute } from "./routes/get-docs-file.ts";
import { getJob, getJobRoute } from "./routes/get-job.ts";
import { getJobEvents, getJobEventsRoute } from "./routes/get-job-events.ts";
import { getNamespace, getNamespaceRoute } from "./routes/get-namespace.ts";
import { getOpenApi, getOpenApiRoute } from "./routes/get-openapi.ts";
import { getPartition, getPartitionRoute } from "./routes/get-partition.ts";
import { getProblem, getProblemRoute } from "./routes/get-problem.ts";
import { getValue, getValueRoute } from "./routes/get-value.ts";
import { incrementValue, incrementValueRoute } from "./routes/increment-value.ts";
import { listDeadLetters, listDeadLettersRoute } from "./routes/list-dead-letters.ts";
import { listJobs, listJobsRoute } from "./routes/list-jobs.ts";
import { listKeys, listKeysRoute } from "./routes/list-keys.ts";
import { listNamespaces, listNamespacesRoute } from "./routes/list-namespaces.ts";
import { listPartitions, listPartitionsRoute } from "./routes/list-partitions.ts";
import { listProblems, listProblemsRoute } from "./routes/list-problems.ts";
import { patchNamespace, patchNamespaceRoute } from "./routes/patch-namespace.ts";
import { patchValue, patchValueRoute } from "./routes/patch-value.ts";
import { putNamespace, putNamespaceRoute } from "./routes/put-namespace.ts";
import { putValue, putValueRoute } from "./routes/put-value.ts";
import { replayDeadLetter, replayDeadLetterRoute } from "./routes/replay-dead-letter.ts";
import { replayDeadLetters, replayDeadLettersRoute } from "./routes/replay-dead-letters.ts";
import { watchNamespace, watchNamespaceRoute } from "./routes/watch-namespace.ts";
import { writeBatch, writeBatchRoute } from "./routes/write-batch.ts";

export const ROUTES: readonly Route[] = [
  { about: putValueRoute, handler: putValue },
  { about: getValueRoute, handler: getValue },
  { about: deleteValueRoute, handler: deleteValue },
  { about: patchValueRoute, handler: patchValue },
  { about: incrementValueRoute, handler: incrementValue },
  { about: commitTransactionRoute, handler: commitTransaction },
  { about: writeBatchRoute, handler: writeBatch },
  { about: listKeysRoute, handler: listKeys },
  { about: watchNamespaceRoute, handler: watchNamespace },
  { about: getCommandRoute, handler: getCommand },
  { about: listDeadLettersRoute, handler: listDeadLetters },
  { about: discardDeadLettersRoute, handler: discardDeadLetters },
  { about: replayDeadLettersRoute, handler: replayDeadLetters },
  { about: getDeadLetterRoute, handler: getDeadLetter },
  { about: discardDeadLetterRoute, handler: discardDeadLetter },
  { about: replayDeadLetterRoute, handler: replayDeadLetter },
  { about: putNamespaceRoute, handler: putNamespace },
  { about: getNamespaceRoute, handler: getNamespace },
  { about: patchNamespaceRoute, handler: patchNamespace },
  { about: deleteNamespaceRoute, handler: deleteNamespace },
  { about: listNamespacesRoute, handler: listNamespaces },
  { about: createJobRoute, handler: createJob },
  { about: listJobsRoute, handler: listJobs },
  { about: getJobRoute, handler: getJob },
  { about: getJobEventsRoute, handler: getJobEvents },
  { about: cancelJobRoute, handler: cancelJob },
  { about: listPartitionsRoute, handler: listPartitions },
  { about: getPartitionRoute, handler: getPartition },
  { about: acceptPartitionLossRoute, handler: acceptPartitionLoss },
  { about: getOpenApiRoute, handler: getOpenApi },
  { about: getDocsRoute, handler: getDocs },
  { about: getDocsFileRoute, handler: getDocsFile },
  { about: listProblemsRoute, handler: listProblems },
  { about: getProblemRoute, handler: getProblem },
];
