import wweb, { type Chat, type Message } from 'whatsapp-web.js'
import { CountersignError } from '#core/errors.ts'
import type { MessageOutcome, SessionClient, SessionHandlers } from '#core/ports/whatsapp.ts'
import { chatKind, numberOf } from '#core/whatsapp-chat.ts'
import { type ChatMessage, isWritten } from '#core/whatsapp-message.ts'
import type { SessionEnd } from '#core/whatsapp-session.ts'
import type { ClientOptions } from './client-types.ts'
import { chatsSince, sayReadyAgain } from './in-page.ts'
import { endOf, isRefused, launchOptions, reasonOf } from './launch.ts'
import { MAX_MEDIA_BYTES } from './media-folder.ts'
import { profilesFolder } from './profile.ts'
import { chatOf, numberFrom, type Person, readMessage } from './read-message.ts'
import { withinMs } from './within.ts'

const CALL_MS = 20_000
const START_MS = 120_000
const PAGE_MS = 60_000
/** Codes that are shown before it is given up: each holds for some 20 s. */
const MAX_CODES = 9
const ACK_LOOK_MS = 250
/** Of a chat that was quiet while nobody listened, so much is looked at. */
const CAUGHT_UP = 50

/** Keeps the profile when WhatsApp logs us out: it is removed once the browser that has it open is gone. */
class KeepingAuth extends wweb.LocalAuth {
  override logout = async () => {}
}

/** Starts a browser on the session. What becomes of it is told by the handlers; a start that fails is an end, too. */
export function openClient(options: ClientOptions, handlers: SessionHandlers): SessionClient {
  const client = new wweb.Client({
    authStrategy: new KeepingAuth({ dataPath: profilesFolder(options.folder) }),
    authTimeoutMs: PAGE_MS,
    qrMaxRetries: MAX_CODES,
    takeoverOnConflict: false,
    ...launchOptions(options),
  })
  let isOver = false
  const people = new Map<string, Person>()
  const end = (by: SessionEnd, reason: string) => {
    if (isOver) return
    isOver = true
    handlers.onEnd(by, reason)
  }
  let last: Promise<unknown> = Promise.resolve()
  // One after the other, so that they are told in the order in which they came.
  const tell = (message: Message) => {
    last = last.then(() => toldOf(message)).catch(handlers.onFault)
  }
  let hasBegun = false
  client.on('qr', (code: string) => {
    hasBegun = true
    handlers.onCode(code)
  })
  client.on('auth_failure', (message: string) => end('logged-out', String(message).slice(0, 200)))
  client.on('ready', () => {
    hasBegun = true
    handlers.onReady(`+${client.info?.wid?.user ?? ''}`)
  })
  client.on('message', tell)
  client.on('message_edit', (message: Message) => {
    if (!message.fromMe) tell(message)
  })
  client.on('message_revoke_everyone', (message: Message) => {
    if (!message.fromMe) tell(message)
  })
  client.on('disconnected', (reason: unknown) => end(...endOf(String(reason))))
  const started = start()

  async function start(): Promise<void> {
    try {
      await withinMs(START_MS, 'starting the browser', async () => {
        const initialised = client.initialize()
        // The library says nothing when the browser dies.
        void watchBrowser()
        await initialised
        await begun()
      })
    } catch (error) {
      end('lost', reasonOf(error))
    }
  }

  async function watchBrowser(): Promise<void> {
    while (!isOver) {
      const browser = client.pupBrowser
      if (browser) {
        // puppeteer lets go of its pipes before they are closed: what breaks after that would end this process.
        for (const pipe of browser.process()?.stdio ?? []) pipe?.on('error', () => {})
        browser.once('disconnected', () => end('lost', 'the browser ended'))
        if (!browser.connected) end('lost', 'the browser ended')
        return
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** The library waits for the page to say that it is ready, and waits for ever where the page said so before. */
  async function begun(): Promise<void> {
    for (let looks = 0; !hasBegun && !isOver; looks++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      if (looks % 50 === 49) await client.pupPage?.evaluate(sayReadyAgain)
    }
  }

  async function toldOf(message: Message): Promise<void> {
    const read = await translated(message)
    if (read && isWritten(read)) handlers.onMessage(await withMedia(message, read))
  }

  async function translated(message: Message): Promise<ChatMessage | undefined> {
    const chat = chatOf(message)
    if (chat === undefined) return undefined
    const person = chatKind(chat) === 'group' ? {} : await personOf(chat)
    return options.isWanted(chat, numberOf(chat) ?? person.number) ? readMessage(message, person) : undefined
  }

  /** Asked once for each chat: neither changes while a browser lives, as far as it matters. */
  async function personOf(chat: string): Promise<Person> {
    const known = people.get(chat)
    if (known) return known
    const [pair] =
      chatKind(chat) === 'hidden' ? await call('asking for a number', () => client.getContactLidAndPhone([chat])) : []
    const contact = await call('asking for a contact', () => client.getContactById(chat)).catch(() => undefined)
    const person = { number: numberOf(chat) ?? numberFrom(pair?.pn), isContact: contact?.isMyContact }
    people.set(chat, person)
    return person
  }

  async function withMedia(message: Message, read: ChatMessage): Promise<ChatMessage> {
    const { media } = read
    if (!media || read.from_me) return read
    if (media.size > MAX_MEDIA_BYTES)
      return { ...read, media: { ...media, missing: 'too large; it is on the telephone' } }
    try {
      const got = await call('fetching a file', () => message.downloadMedia())
      const bytes = Buffer.from(got?.data ?? '', 'base64')
      if (bytes.length === 0) throw new Error('nothing came')
      if (bytes.length > MAX_MEDIA_BYTES) throw new Error('larger than it said')
      return { ...read, media: { ...media, size: bytes.length, sha256: await options.media.keep(bytes) } }
    } catch (error) {
      handlers.onFault(error)
      return { ...read, media: { ...media, missing: 'it could not be fetched; it is on the telephone' } }
    }
  }

  async function readChat(chat: Chat, limit: number): Promise<{ message: Message; read: ChatMessage }[]> {
    const messages = await call('reading a chat', () => chat.fetchMessages({ limit }))
    const all = []
    for (const message of messages) {
      const read = await translated(message)
      if (read && isWritten(read)) all.push({ message, read })
    }
    return all.toSorted((a, b) => a.read.at - b.read.at)
  }

  async function send({ chat, number, text }: Parameters<SessionClient['send']>[0]): Promise<MessageOutcome> {
    let found: Chat | undefined
    let before: ReadonlySet<string>
    try {
      found = await call('looking for the chat', () => client.getChatById(chat))
      if (!found) return { kind: 'refused', say: 'there is no such chat' }
      if (chatKind(chat) === 'hidden' && number !== undefined && (await personOf(chat)).number !== number)
        return { kind: 'refused', say: `the chat is not that of ${number} any more` }
      before = new Set((await ownIn(found)).map(({ id }) => id))
    } catch (error) {
      return { kind: 'refused', say: `the chat could not be opened: ${reasonOf(error)}` }
    }
    const trace = async (opened: Chat) =>
      (await ownIn(opened)).find(({ id, body }) => body === text && !before.has(id))?.id
    try {
      const sent = await call('sending', () =>
        client.sendMessage(chat, text, { linkPreview: false, parseVCards: false, sendSeen: false }),
      )
      const id = sent?.id?._serialized ?? (await trace(found))
      return id === undefined ? { kind: 'unknown', reason: 'WhatsApp named no message' } : await acknowledged(id)
    } catch (error) {
      // The page puts a message into its chat before it sends it: what does not stand there was not sent.
      const id = await trace(found).catch(() => 'cannot-tell')
      if (id === undefined) return { kind: 'refused', say: reasonOf(error) }
      return id === 'cannot-tell' ? { kind: 'unknown', reason: reasonOf(error) } : acknowledged(id)
    }
  }

  /** The newest messages of this account in a chat. */
  async function ownIn(chat: Chat): Promise<ChatMessage[]> {
    return (await readChat(chat, CAUGHT_UP)).map(({ read }) => read).filter((one) => one.from_me)
  }

  /** Waits until WhatsApp's server has it: until then it stands in the page alone. */
  async function acknowledged(id: string): Promise<MessageOutcome> {
    const until = performance.now() + options.ackMs
    while (performance.now() < until && !isOver) {
      const ack = await call('asking for a message', () => client.getMessageById(id)).then(
        (message) => message?.ack,
        () => undefined,
      )
      if (ack !== undefined && ack >= 1) return { kind: 'accepted', id }
      if (ack === -1)
        return { kind: 'unknown', id, reason: `WhatsApp could not send message ${id}, and may have tried` }
      await new Promise((resolve) => setTimeout(resolve, ACK_LOOK_MS))
    }
    return { kind: 'unknown', id, reason: `WhatsApp’s server has not confirmed message ${id}` }
  }

  async function call<T>(what: string, ask: () => Promise<T>): Promise<T> {
    if (isOver) throw new CountersignError('ERR_WHATSAPP_UNREACHABLE', `${what}: the browser is gone`)
    return withinMs(CALL_MS, what, ask)
  }

  return {
    async ping() {
      // In a conflict the page shows it and tells nobody who came late.
      const state = String(await withinMs(CALL_MS, 'asking for the state', () => client.getState()))
      if (isRefused(state)) end(...endOf(state))
    },
    async messagesOf(id, limit) {
      const chat = await call('looking for the chat', () => client.getChatById(id))
      return chat ? (await readChat(chat, limit)).map(({ read }) => read) : []
    },
    async since(at) {
      // Not the library's list of chats: it asks the server for every group.
      const ids = await call('listing the chats', async () => client.pupPage?.evaluate(chatsSince, at / 1000))
      const all: ChatMessage[] = []
      for (const id of ids ?? []) {
        if (chatKind(id) === undefined) continue
        const person = chatKind(id) === 'group' ? {} : await personOf(id)
        if (!options.isWanted(id, numberOf(id) ?? person.number)) continue
        const chat = await call('looking for the chat', () => client.getChatById(id))
        const read = chat ? await readChat(chat, CAUGHT_UP) : []
        for (const one of read)
          if (!one.read.from_me && one.read.at >= at) all.push(await withMedia(one.message, one.read))
      }
      return all.toSorted((a, b) => a.at - b.at)
    },
    send,
    logout: () => call('logging out', () => client.logout()).then(() => end('logged-out', 'you logged out')),
    async [Symbol.asyncDispose]() {
      isOver = true
      await withinMs(CALL_MS, 'closing the browser', () => client.destroy()).catch(() => {})
      client.pupBrowser?.process()?.kill('SIGKILL')
      await started
      client.removeAllListeners()
      // Its late errors are nobody's.
      client.on('error', () => {})
    },
  }
}
