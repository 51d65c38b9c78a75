import { z } from 'zod'
import { type Attachment, attachmentSchema, describeFile, readFiles, shownSize } from './attachment.ts'
import { CountersignError } from './errors.ts'
import { MAX_ATTACHMENT_BYTES } from './path-ownership.ts'
import type { PostImage } from './ports/social-network.ts'
import { NETWORK_NAMES, type Network } from './social-text.ts'
import type { VaultPath } from './vault-path.ts'
import { visibleLine } from './visible-text.ts'

/** What the image shows, for those who do not see it. Every network takes as much. */
export const altText = visibleLine(1_000)

/** An image of a post as it stands in the action: a file of the vault, by its content. All values are text, as in front matter. */
export const postImageSchema = attachmentSchema.safeExtend({ alt_text: altText })
export type DescribedImage = z.output<typeof postImageSchema>

/** Absent when there is none, so that a post without images has one digest. */
export const postImagesSchema = z.array(postImageSchema).min(1, 'leave it out when there is none').max(20)

interface ImageLimits {
  /** In one post. */
  readonly count: number
  /** Of one image. */
  readonly bytes: number
  readonly types: readonly string[]
}

const ALL_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']
const NO_WEBP = ['image/jpeg', 'image/png', 'image/gif']

/**
 * What each network takes by its documents; the vault keeps files of 10 MiB at most. Bluesky has raised its limit to 2 MB
 * meanwhile, which not every server follows. On X a GIF is uploaded in another way.
 */
const LIMITS: Readonly<Record<Exclude<Network, 'instagram'>, ImageLimits>> = {
  mastodon: { count: 4, bytes: MAX_ATTACHMENT_BYTES, types: ALL_TYPES },
  bluesky: { count: 4, bytes: 1_000_000, types: ALL_TYPES },
  linkedin: { count: 20, bytes: MAX_ATTACHMENT_BYTES, types: NO_WEBP },
  x: { count: 4, bytes: 5_000_000, types: ['image/jpeg', 'image/png', 'image/webp'] },
  facebook: { count: 10, bytes: 4_000_000, types: NO_WEBP },
}

/** Why a network does not take these images, in words; undefined: it does. */
export function imagesProblem(network: Network, images: readonly DescribedImage[]): string | undefined {
  const name = NETWORK_NAMES[network]
  if (network === 'instagram') return 'Instagram takes the address of an image, no file'
  const { count, bytes, types } = LIMITS[network]
  if (images.length > count) return `${images.length} images; ${name} takes ${count}`
  for (const image of images) {
    if (!types.includes(image.type)) return `${image.name} is ${image.type}; ${name} takes ${types.join(', ')}`
    if (Number(image.size) > bytes)
      return `${image.name} has ${shownSize(Number(image.size))}; ${name} takes ${shownSize(bytes)}`
  }
  return undefined
}

const ENDINGS: Readonly<Record<string, readonly string[]>> = {
  'image/jpeg': ['jpg', 'jpeg'],
  'image/png': ['png'],
  'image/gif': ['gif'],
  'image/webp': ['webp'],
}

/** The type of an image by its first bytes, whatever it is called; undefined for anything else. */
export function imageTypeOf(bytes: Uint8Array): string | undefined {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to))
  if (text(0, 3) === '\u00ff\u00d8\u00ff') return 'image/jpeg'
  if (text(0, 8) === '\u0089PNG\r\n\u001a\n') return 'image/png'
  if (/^GIF8[79]a$/.test(text(0, 6))) return 'image/gif'
  return text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP' ? 'image/webp' : undefined
}

/**
 * How an image stands in the action of a post; its name gets the ending of what it is. Throws ERR_USAGE: no image, no plain
 * name, too large, no description.
 */
export function describeImage(name: string, bytes: Uint8Array, description: string): DescribedImage {
  const type = imageTypeOf(bytes)
  const shown = `the image ${JSON.stringify(name.slice(0, 200))}`
  if (type === undefined) throw new CountersignError('ERR_USAGE', `${shown}: it is no JPEG, PNG, GIF or WebP`)
  const endings = ENDINGS[type] ?? []
  const isNamedSo = endings.some((ending) => name.toLowerCase().endsWith(`.${ending}`))
  const described = describeFile(isNamedSo ? name : `${name.replace(/\.[A-Za-z0-9]{1,8}$/, '')}.${endings[0]}`, bytes)
  const alt = altText.safeParse(description)
  if (alt.success) return { ...described, alt_text: alt.data }
  throw new CountersignError('ERR_USAGE', `${shown}: its description ${alt.error.issues[0]?.message}`)
}

/**
 * The images as they were approved, each read once: what is uploaded is what was checked. Throws ERR_ATTACHMENT_CHANGED when
 * one is not there, is another, or is not what it is said to be.
 */
export async function readImages(
  images: readonly DescribedImage[],
  read: (path: VaultPath, maxBytes: number) => Promise<Uint8Array | undefined>,
): Promise<PostImage[]> {
  const files = await readFiles(images.map(withoutAlt), read)
  return files.map((file, index) => {
    if (imageTypeOf(file.bytes) !== file.type)
      throw new CountersignError('ERR_ATTACHMENT_CHANGED', `${JSON.stringify(file.name)} is no ${file.type}`)
    return { ...file, altText: images[index]?.alt_text ?? '' }
  })
}

function withoutAlt({ alt_text: _, ...file }: DescribedImage): Attachment {
  return file
}
