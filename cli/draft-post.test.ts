import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { draftOwnPost } from './draft-post.ts'
import { homeLayout, type ZoneHome } from './zone-home.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const PNG = Buffer.from('\u0089PNG\r\n\u001a\nand so on', 'latin1')

let root: string
let home: ZoneHome
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'draft-post-'))
  await mkdir(join(root, 'vault'))
  const accounts = 'mastodon:@you@social.example, instagram:17841405822304914'
  home = { ...homeLayout(root, 'local', { COUNTERSIGN_SOCIAL_ACCOUNTS: accounts }), vault: join(root, 'vault') }
  await writeFile(join(root, 'stall.jpg'), PNG)
})
afterEach(() => rm(root, { recursive: true }))

const files = async () => (await (await openVault(home.vault)).list('Attachments')).length

test('an image is copied into the vault under its content, with the name of what it is', async () => {
  const post = { network: 'mastodon', text: 'On the market', image: [join(root, 'stall.jpg')], alt: ['Our stall'] }
  const { path, action } = await draftOwnPost(home, post, NOW)
  if (action.tool !== 'social.publish_post') throw new Error(action.tool)
  const [image] = action.images ?? []
  expect(image).toMatchObject({ name: 'stall.png', type: 'image/png', size: '17', alt_text: 'Our stall' })
  expect(await readFile(join(home.vault, image?.path ?? ''))).toEqual(PNG)
  expect(await readFile(join(home.vault, path), 'utf8')).toContain(image?.sha256)
})

test.each([
  ['has no description', { network: 'mastodon', alt: [] }, '1 --image, 0 --alt'],
  ['has an empty one', { network: 'mastodon', alt: [''] }, 'its description'],
  ['is none', { network: 'mastodon', image: ['README.md'], alt: ['x'] }, 'it is no JPEG, PNG, GIF or WebP'],
  ['is not there', { network: 'mastodon', image: ['/nowhere.png'], alt: ['x'] }, 'ENOENT'],
  ['is a file, on Instagram', { network: 'instagram', alt: ['x'] }, 'not the plain https address'],
])('nothing is written when the image %s', async (_what, changed, say) => {
  const post = { text: 'On the market', image: [join(root, 'stall.jpg')], ...changed }
  await expect(draftOwnPost(home, post, NOW)).rejects.toThrow(say)
  expect(await files()).toBe(0)
})
