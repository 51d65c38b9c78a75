import type { gmail_v1 } from '@googleapis/gmail'
import { expect, it } from 'vitest'
import type { GmailReader } from './gmail-client.ts'
import { arrivalsAfter } from './gmail-history.ts'

type Page = gmail_v1.Schema$ListHistoryResponse

/** Gives these pages, one for each page token. */
function readerOf(pages: readonly Page[], fail?: { status: number }): GmailReader {
  const list = async (asked: { pageToken?: string }) => {
    if (fail) throw Object.assign(new Error('failed'), { response: fail })
    return { data: pages[Number(asked.pageToken ?? 0)] }
  }
  return { users: { history: { list } }, options: {}, historyId: '0' } as unknown as GmailReader
}
const added = (id: string, labelIds = ['INBOX']) => ({ message: { id, labelIds } })

it('lets only the last message of a record stand for the record', async () => {
  const reader = readerOf([{ history: [{ id: '11', messagesAdded: [added('a'), added('b')] }], historyId: '12' }])
  expect(await arrivalsAfter(reader, '10')).toEqual({
    arrivals: [{ id: 'a' }, { id: 'b', position: '11' }],
    upTo: '12',
  })
})

it('reads all pages, and a message once however often it is told of', async () => {
  const reader = readerOf([
    { history: [{ id: '11', messagesAdded: [added('a')] }], historyId: '20', nextPageToken: '1' },
    {
      history: [
        { id: '13', labelsAdded: [{ message: { id: 'a' }, labelIds: ['INBOX'] }] },
        { id: '14', labelsAdded: [{ message: { id: 'b' }, labelIds: ['STARRED'] }] },
        { id: '15', messagesAdded: [added('c', ['SENT']), added('d', ['INBOX', 'UNREAD'])] },
      ],
      historyId: '21',
    },
  ])
  expect(await arrivalsAfter(reader, '10')).toEqual({
    arrivals: [
      { id: 'a', position: '11' },
      { id: 'd', position: '15' },
    ],
    upTo: '21',
  })
})

it('goes on from where it was when nothing came', async () => {
  expect(await arrivalsAfter(readerOf([{}]), '10')).toEqual({ arrivals: [], upTo: '10' })
})

it('knows history that is gone from trouble', async () => {
  expect(await arrivalsAfter(readerOf([], { status: 404 }), '10')).toBeUndefined()
  await expect(arrivalsAfter(readerOf([], { status: 500 }), '10')).rejects.toThrow('failed')
})
