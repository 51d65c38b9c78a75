/** An Agent Skill (agentskills.io). Each text is read when it is asked for, so that an edit counts at the next draft. */
export interface Skill {
  readonly name: string
  readonly description: string
  /** Of the front matter's `metadata`. */
  readonly metadata: Readonly<Record<string, string>>
  /** The body of SKILL.md. */
  readonly instructions: string
  /** What `file` can be asked for, sorted: `assets/reply.en.md`, `references/tone.md`. */
  readonly files: readonly string[]
  /** UTF-8 text of a file of the skill, named from its folder: `assets/reply.en.md`. Throws ERR_SKILL_INVALID when it cannot be had. */
  file(path: string): string
}

/** Opens a skill by its name. Throws ERR_SKILL_INVALID, which says what is wrong with which file. */
export type OpenSkill = (name: string) => Skill

/** A skill as it is told of before anyone needs it, or what is wrong with it. */
export type SkillSummary = { readonly name: string } & (
  | { readonly description: string; readonly problem?: undefined }
  | { readonly problem: string }
)
