import { describe, expect, it } from 'vitest'
import { readDeliveryReport } from './parse-report.ts'

const read = (source: string) => {
  const bytes = Buffer.from(source.replace(/\r?\n/g, '\r\n'))
  return readDeliveryReport({
    ...{ receivedAt: 0, size: bytes.length, source: bytes, declaredAttachments: [] },
  })
}

function report(status: string, returned: string, returnedType = 'message/rfc822', head = ''): string {
  return `From: MAILER-DAEMON@mail.test
To: owner@x.test
Subject: Undelivered
${head}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b/1"

--b/1
Content-Type: text/plain

I'm sorry.
--b/1
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.test
Arrival-Date: Mon, 30 Nov 2026 15:21:01 +0000

${status}
--b/1
Content-Type: ${returnedType}

${returned}
--b/1--
`
}
const FAILED = `Final-Recipient: rfc822; ana@acme.test
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <ana@acme.test> User
    doesn't exist
`
const RETURNED = 'From: owner@x.test\nMessage-ID: <01J.1@x.test>\nSubject: x\n\nMessage-ID: <body@x.test>\n'
const REASON = "550 5.1.1 <ana@acme.test> User doesn't exist"

describe('readDeliveryReport', () => {
  it('names the mail and each recipient it did not reach', async () => {
    const other = 'Original-Recipient: rfc822;bob@acme.test\nFinal-Recipient: rfc822; robert@b.test\nAction: FAILED\n'
    const relayed = 'Final-Recipient: rfc822; eve@acme.test\nAction: relayed\nStatus: 2.0.0\n'
    expect(await read(report([FAILED, other, relayed].join('\n'), RETURNED))).toEqual({
      ids: ['<01J.1@x.test>'],
      failed: [
        { address: 'ana@acme.test', status: '5.1.1', reason: REASON },
        { address: 'bob@acme.test', status: '', reason: '' },
      ],
    })
  })

  it.each(['text/rfc822-headers', 'message/rfc822', 'message/global', 'message/global-headers'])(
    'finds our own id in a returned %s, where the provider had replaced the Message-ID',
    async (type) => {
      const returned = 'Message-ID: <CA+1@mail.gmail.com>\nX-Countersign-ID: <01J.1@x.test>\n\n'
      expect((await read(report(FAILED, returned, type)))?.ids).toEqual(['<CA+1@mail.gmail.com>', '<01J.1@x.test>'])
    },
  )

  it('takes the thread it stands in when nothing was returned', async () => {
    const found = await read(report(FAILED, '', 'text/rfc822-headers', 'In-Reply-To: <01J.1@x.test>\n'))
    expect(found?.ids).toEqual(['<01J.1@x.test>'])
  })

  it.each([
    ['a delay', report(FAILED.replace('failed', 'delayed'), RETURNED)],
    ['a receipt', report(FAILED.replace('failed', 'delivered'), RETURNED)],
    ['a letter that says so', `From: a@x.test\nContent-Type: text/plain\n\n${FAILED}`],
    ['nothing', ''],
    ['only bytes', '\u0000\ufffd'],
  ])('passes over %s', async (_what, source) => {
    expect(await read(source)).toBeUndefined()
  })
})
