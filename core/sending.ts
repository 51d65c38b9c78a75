import { z } from 'zod'

/** What `send_email` reports. `refused` is definite: nothing was sent. `unknown` is looked up, never tried again. */
export const sendReportSchema = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('accepted'),
    message_id: z.string(),
    /** The server's answer, one line. */
    response: z.string(),
    refused_recipients: z.array(z.strictObject({ address: z.string(), response: z.string() })),
  }),
  z.strictObject({
    outcome: z.literal('refused'),
    code: z.enum(['ERR_COUNTERSIGNATURE_INVALID', 'ERR_FENCED', 'ERR_MAIL_REFUSED', 'ERR_MAIL_UNREACHABLE']),
    reason: z.string(),
  }),
  z.strictObject({
    outcome: z.literal('unknown'),
    code: z.literal('ERR_OUTCOME_UNKNOWN'),
    message_id: z.string(),
    reason: z.string(),
  }),
])
export type SendReport = z.output<typeof sendReportSchema>
