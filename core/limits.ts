/**
 * Every bound, with its unit last and its reason. A bound that is reached is told to the caller as a clear error.
 * Those of letting callers in are in access-limits.ts.
 */

/** Redis Cluster has 16,384 slots; more partitions than this buys nothing and costs a stream each. */
export const PARTITIONS_MAX = 1024;

/** As Redis Cluster's docs advise for keys: long enough for any path, short enough to index. */
export const KEY_MAX_BYTES = 1024;

export const NAMESPACE_MAX_CHARS = 64;

/** A value travels through one append call, one read and one apply call: it must not hold any of them up. */
export const VALUE_MAX_BYTES = 1024 * 1024;

/** Longest media type of RFC 6838 (127 + 1 + 127) is shorter; parameters included. */
export const CONTENT_TYPE_MAX_CHARS = 255;

/**
 * The value that a patch is merged into, and what comes of it: it is read word by word inside apply, at some 4 MB/s, and
 * everybody waits meanwhile.
 */
export const PATCHED_VALUE_MAX_BYTES = 64 * 1024;

/** A patch counts as so many bytes of an apply call: eight of the longest take a third of a second. */
export const PATCH_WEIGHT_BYTES = 128 * 1024;

/** Objects and arrays in a patch, one in the other. */
export const PATCH_DEPTH_MAX = 64;

/** As with Cloudflare KV; it is read with every key of a listing. In ASCII, as it is stored. */
export const METADATA_MAX_BYTES = 1024;

/** Longest time to live: beyond ten years nobody means it. */
export const TTL_MAX_S = 10 * 366 * 24 * 60 * 60;

/** A command's accept time counts at most so far ahead of the log's clock: an api whose clock is wrong must not let keys expire. */
export const ACCEPT_LEAD_MAX_MS = 60_000;

/** Expired keys of a partition that are asked for at once; the next page follows when they are gone. */
export const EXPIRY_PAGE_MAX_KEYS = 500;

/** Keys in one transaction, conditions, and changes: what is done at once holds everybody else up. As with etcd, halved. */
export const TRANSACTION_MAX_KEYS = 64;

/** Patches in one transaction: eight of the longest take a third of a second. */
export const TRANSACTION_MAX_PATCHES = 8;

/** A batch that comes as one JSON document is held whole: larger ones are sent line by line. */
export const BATCH_BODY_MAX_BYTES = 8 * 1024 * 1024;
export const BATCH_ITEMS_MAX = 1000;

/** One line of a batch: the largest value in base64, and what is said beside it. */
export const BATCH_LINE_MAX_BYTES = 1536 * 1024;

/** Lines of one batch that are read and whose results its client has not taken: then no more is read. */
export const BATCH_WINDOW_MAX_ITEMS = 512;
export const BATCH_WINDOW_MAX_BYTES = 4 * 1024 * 1024;

/** Commands in one append call, over all its partitions: keeps it near 1 ms. */
export const APPEND_CALL_MAX_COMMANDS = 500;

/** Bytes of values in one append call: Redis is single-threaded, everybody waits meanwhile. */
export const APPEND_CALL_MAX_BYTES = 2 * 1024 * 1024;

/** Commands that one process holds per partition before they are in the log; beyond it new ones get 503. */
export const APPEND_QUEUE_MAX_COMMANDS = 10_000;

/** The same bound in bytes, for large values. */
export const APPEND_QUEUE_MAX_BYTES = 64 * 1024 * 1024;

/** Commands in one apply call. A function of 6 s makes Sentinel fail a healthy master over; 500 take about 4 ms. */
export const APPLY_BATCH_MAX_COMMANDS = 500;

/** Rejected and dead commands of one apply call that are told of by id, of each so many; the rest is counted. */
export const ENDED_TOLD_MAX = 50;

/** Bytes of values in one apply call, for the same reason. One value more than the bound still goes alone. */
export const APPLY_BATCH_MAX_BYTES = 1024 * 1024;

/** Commands that an operator gives up are removed so many a call: each may have a value of a mebibyte, which the call reads. */
export const GIVE_UP_PAGE_MAX_COMMANDS = 50;

/** A producer (one api process) that has not written to a partition for this long, by the log's time, is forgotten. */
export const PRODUCER_IDLE_MAX_MS = 24 * 60 * 60 * 1000;

/** A lane that has not written for so long goes on under a new producer name: the log and the store may have forgotten it. */
export const PRODUCER_RENEW_MS = PRODUCER_IDLE_MAX_MS / 2;

/** How long an outcome that is not plain success is kept, by the log's time. At least as long as the log itself. */
export const OUTCOME_RETENTION_MS = 24 * 60 * 60 * 1000;

/** As long as any name that clients make up: most send a UUID. */
export const IDEMPOTENCY_KEY_MAX_CHARS = 256;

/**
 * Idempotency keys that a partition knows, unless configured otherwise; each takes some 175 bytes of the store for as long
 * as outcomes are kept. With 16 partitions that is 700 MB, and 46 such writes a second all day long.
 */
export const IDEMPOTENCY_KEYS_MAX = 250_000;

/** How long a write waits to be told of its idempotency key: a store that hangs must not hinder writes. */
export const IDEMPOTENCY_LOOK_MAX_MS = 250;

/** Writes with idempotency keys that one process knows while they are on their way; others find out when they are applied. */
export const IDEMPOTENCY_FLIGHTS_MAX = 10_000;

/** Requests of one process that may wait for a command or a revision at once; each holds a connection and a timer. */
export const WAITERS_MAX = 20_000;

/**
 * Connections that one api process keeps open unless it is told otherwise; each costs some 10 KiB. Those beyond are told
 * so when they ask for something, and closed.
 */
export const CONNECTIONS_MAX = 20_000;

/** So many more are told; whoever comes after them is hung up on at once: a flood must not be answered one by one. */
export const CONNECTIONS_SPARE = 1_000;

/**
 * Commands of a partition that are accepted and not yet applied, unless configured otherwise. A consumer works them off
 * in some 10 s, so that a store that was away is up to date soon after; and with 16 partitions all clients of one api
 * process at full speed can write through seven minutes without a store.
 */
export const BACKLOG_MAX_COMMANDS = 1_000_000;

/** A full backlog takes writes again at this share of its bound: between the two it does not flap. */
export const BACKLOG_READMIT_SHARE = 0.8;

/** How often the memory of the log is looked at: INFO takes Redis some 50 us. */
export const LOG_MEMORY_LOOK_MS = 250;

/** From this share of the log's memory on no write is taken: a command refused by us costs nothing, one by Redis does. */
export const LOG_MEMORY_ADMIT_SHARE = 0.7;

/** And below this share writes are taken again. */
export const LOG_MEMORY_READMIT_SHARE = 0.65;

/** From this share on applied entries are trimmed before their time: history alone must never make writes be refused. */
export const LOG_MEMORY_TRIM_SHARE = 0.6;

/** Until this share is reached. */
export const LOG_MEMORY_TRIMMED_SHARE = 0.5;

/**
 * What was applied this long ago may be trimmed before its time. A store that is killed may lose its last two seconds
 * (`appendfsync everysec`): they must still be in the log.
 */
export const TRIM_SETTLE_MS = 5_000;

/** What a command takes in the log's memory beside its value: header, stream node, pending entry. Measured: 230 to 450. */
export const LOG_ENTRY_OVERHEAD_BYTES = 450;

/** Longest wait a client may ask for: below the idle timeouts of common proxies (60 s). */
export const WAIT_MAX_S = 30;

/** How long a read with a minimum revision waits when the client does not say. */
export const MIN_REVISION_WAIT_MS = 2_000;

/** How long a read waits for a store that went back to be where it was, before it is refused. */
export const RECOVERY_WAIT_MS = 500;

/** Revisions in one Millrace-Min-Revision header: one for each partition a client may have written to. */
export const MIN_REVISIONS_MAX = 64;

/**
 * Dead letters of one partition, and the bytes of all of them. At either bound the partition takes no more writes until
 * some are replayed or discarded, which it does take: what was accepted before is parked beyond the bound, not dropped.
 */
export const LETTERS_MAX = 100_000;
export const LETTERS_MAX_BYTES = 256 * 1024 * 1024;

/** Bytes of values that one look at dead letters goes over: Redis is single-threaded, everybody waits meanwhile. */
export const LETTER_PAGE_MAX_BYTES = 4 * 1024 * 1024;

/** Dead letters that one request may look at before it answers with a cursor to go on from. */
export const LETTERS_SCAN_MAX = 5000;

/** Dead letters in one answer, replayed by one request, or discarded by one. */
export const LETTERS_ANSWER_MAX = 500;

/** Bytes of values that one request replays: it holds them all while they are on their way to the log. */
export const LETTERS_REPLAY_MAX_BYTES = 16 * 1024 * 1024;

/** Bytes of a dead letter's value that are shown: enough to see what it is. */
export const LETTER_VALUE_SHOWN_MAX_BYTES = 64 * 1024;

/** Keys in one page of a list. */
export const LIST_MAX_KEYS = 1000;

/** Bytes of keys, metadata and values in one page, before they are written as JSON. One value more still goes alone. */
export const LIST_PAGE_MAX_BYTES = 2 * 1024 * 1024;

/** What one round over the partitions reads for a page, over all of them: the process holds it all. */
export const LIST_ROUND_MAX_BYTES = 4 * 1024 * 1024;

/** Keys that one round looks at, with those that have expired: some 15 ms in which Redis does nothing else. */
export const LIST_ROUND_MAX_MEMBERS = 4_000;

/** After so many rounds a page ends as it is, maybe without a key, and says where to go on. */
export const LIST_ROUNDS_MAX = 16;

/** Longest value with its attributes that a list takes along with its key; a longer one is read by itself once it is in the page. */
export const LIST_WHOLE_MAX_BYTES = 16 * 1024;

/** Streams of changes that one process keeps open; each holds a connection and some buffers. */
export const WATCHERS_MAX = 1000;

/** Entries in one read of changes from the log: some 2 ms for its Redis. */
export const WATCH_PAGE_MAX_ENTRIES = 500;

/** Bytes of entries that such a read goes over, values included: Redis reads them to leave them out. */
export const WATCH_PAGE_MAX_BYTES = 1024 * 1024;

/** Such reads of one process at once, for those who begin in the past or lag behind. */
export const WATCH_READS_MAX = 8;

/** Recent changes that one process keeps for all who watch, over all partitions: a second or more of writes. */
export const WATCH_RECENT_MAX_CHANGES = 20_000;

/** Changes that a stream is given in one step, before others get their turn. */
export const WATCH_STEP_MAX_CHANGES = 200;

/** Bytes of values that a stream is given in one step. One value more than that still goes. */
export const WATCH_STEP_VALUES_MAX_BYTES = 256 * 1024;

/** Bytes that wait for one slow reader; one step more may come on top. Nothing is read for it until it has taken them. */
export const WATCH_BUFFER_MAX_BYTES = 64 * 1024;

/** Below the idle timeouts of common proxies (60 s). */
export const WATCH_HEARTBEAT_MS = 15_000;

/** How often partitions that somebody watches are looked at, should a broadcast be lost. */
export const WATCH_POLL_MS = 250;

/** A connection over which so long nothing moved although an answer is on its way is closed: its client takes nothing. */
export const ANSWER_STALL_MAX_MS = 60_000;

/**
 * How long a write waits for the settings of namespaces when this process has never read them: longer than connecting
 * takes, and no longer than an append may.
 */
export const SETTINGS_FIRST_WAIT_MS = 2_000;

/** Namespaces with settings of their own: every api process holds them all, and reads them again at each change. */
export const NAMESPACES_WITH_SETTINGS_MAX = 10_000;

/** Bytes of a JSON document that is no value: settings, a job. */
export const DOCUMENT_MAX_BYTES = 64 * 1024;

/** Namespaces or jobs in one answer, and when the request does not say. */
export const SYSTEM_LIST_MAX = 250;
export const SYSTEM_LIST_DEFAULT = 100;

/** Jobs that wait or run at once; more of them are refused. */
export const JOBS_OPEN_MAX = 100;

/** Jobs that one consumer works on at once. */
export const JOBS_AT_ONCE_MAX = 4;

/** Finished jobs are kept for so long, and of these the newest so many. */
export const JOB_RETENTION_MS = 7 * 24 * 60 * 60 * 1000;
export const JOBS_FINISHED_MAX = 1_000;

/** Commands that one job has on its way: a consumer applies that many in some milliseconds, so users' writes never wait long. */
export const JOB_STEP_MAX_COMMANDS = 200;

/** Partitions that one job works on at once: its progress names a key of each. */
export const JOB_PARTITIONS_MAX = 4;

/** Streams of the progress of jobs that one process sends at once; each looks some ten times a second. */
export const JOB_STREAMS_MAX = 100;

/** What a namespace with a quota holds is looked at for so long after a write to it. */
export const QUOTA_WATCH_MS = 60_000;

/** What a request may bring of other systems' notes on its trace: it is kept with the command (W3C: at least 512 must be passed on). */
export const TRACESTATE_MAX_BYTES = 512;
export const BAGGAGE_MAX_BYTES = 1024;

/** Commands of one request that have spans of their own; a larger batch would drown its own trace. */
export const TRACED_COMMANDS_MAX = 128;

/** Commands that the span of one call is linked to (OpenTelemetry's own default bound). */
export const SPAN_LINKS_MAX = 128;
