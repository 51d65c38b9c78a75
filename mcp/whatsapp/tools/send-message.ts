import type { Receipt } from '#core/countersignature.ts'
import type { Report } from '#core/report.ts'
import { type SendMessageAction, sendMessageSchema } from '#core/whatsapp-action.ts'
import { type ActingDeps, registerActingTool } from '../../shared/acting-tool.ts'
import type { WhatsAppTool } from '../server.ts'

export interface SendingDeps extends ActingDeps {
  /** Sends the message of this use, once. */
  send(action: SendMessageAction, use: { readonly key: string; readonly receipt: Receipt }): Promise<Report>
}

/** `send_message`: sends one approved WhatsApp message. */
export function sendMessage(deps: SendingDeps): WhatsAppTool {
  return (server) =>
    registerActingTool(
      server,
      {
        name: 'send_message',
        title: 'Send an approved WhatsApp message',
        description: 'Sends a WhatsApp message that the person approved in the vault of this machine.',
        schema: sendMessageSchema,
        prepare:
          async (action, { key, receipt }) =>
          async () =>
            deps.send(action, { key, receipt }),
      },
      deps,
    )
}
