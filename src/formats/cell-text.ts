/**
 * Text that a spreadsheet must not take for a formula. A remark is written by whoever sends money, so
 * `=HYPERLINK(…)` in it would run on the desk of whoever opens the file.
 *
 * The cure of https://owasp.org/www-community/attacks/CSV_Injection is an apostrophe in front. A text that looks
 * as if it had been cured already gets one more, so one apostrophe less always gives the text as it was.
 */

/** What begins a formula or a cell break: the characters of the address above, also in full width. */
const HOSTILE = /^'*(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/

/** Whether a spreadsheet could take the text for more than text. */
export function looksLikeFormula(text: string): boolean {
  return HOSTILE.test(text)
}

/** The text with an apostrophe in front where it needs one. */
export function safeText(text: string): string {
  return looksLikeFormula(text) ? `'${text}` : text
}

/** The text that `safeText` was given. */
export function originalText(text: string): string {
  return text.startsWith("'") && looksLikeFormula(text) ? text.slice(1) : text
}
