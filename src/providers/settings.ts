/** Settings of one account, read by its provider's own schema. */
import type { z } from 'zod'
import { DaybookError } from '../domain/errors.ts'

/** Throws `config-invalid` with every setting that is not usable: what was expected, never what was found. */
export function readSettings<S extends z.ZodType>(
  schema: S,
  input: Readonly<Record<string, unknown>>,
  where: 'settings' | 'secrets',
  hint = '',
): z.infer<S> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map(
    issue => `${[where, ...issue.path].join('.')}: ${issue.message.replace(/, received .*$/, '')}`,
  )
  throw new DaybookError('config-invalid', `${lines.join('; ')}${hint === '' ? '' : `. ${hint}`}`)
}
