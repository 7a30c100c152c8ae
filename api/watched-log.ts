/**
 * The log as the appender knows it: by group, and in the order of each lane, it is heard what the log acknowledges.
 */

import type { GroupLog } from "../core/appender.ts";
import type { AcknowledgedMarks } from "./acknowledged-marks.ts";
import type { Admission } from "./admission.ts";

export function watchLog(log: GroupLog, marks: AcknowledgedMarks, admission: Admission): GroupLog {
  return {
    append: async (partition, group, grade) => {
      const appended = await log.append(partition, group, grade);
      const last = appended.firstOrdinal + group.commands.length - 1;
      marks.acknowledged(grade, partition, appended.firstOrdinal, last);
      admission.accepted(partition, last);
      return appended;
    },
  };
}
