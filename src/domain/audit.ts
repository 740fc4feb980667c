/** Who did what: an object for every download and every action, made before its effect. */
import { z } from 'zod'

/** `reader`: sees and downloads; `operator`: also spends quota, brings files, explains and closes. */
export const ROLES = ['reader', 'operator'] as const
export type Role = (typeof ROLES)[number]

/** `audit/<yyyy-mm-dd>/<instant>-<id>.json` */
export const auditRecord = z.object({
  at: z.iso.datetime(),
  /** The person as the login names them. */
  who: z.string(),
  role: z.enum(ROLES),
  /** The address that the request came from. */
  from: z.string(),
  /** `report.download`, `report.ask`, … */
  did: z.string(),
  /** What it was about: account, report, day, … as plain texts. */
  about: z.record(z.string(), z.string()),
})
export type AuditRecord = z.infer<typeof auditRecord>
