/** A month of finance's life at the desk, in a browser, against a real server and the sandbox. */
import { hash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addDays } from '../../src/domain/calendar.ts'
import { type BookWorld, reconcileDays, startLivedWorld } from '../support/book-world.ts'
import { axeFaults, openBrowser, shoot } from '../support/browser.ts'
import { eventually } from '../support/test-daybook.ts'

const ACCOUNT = 'binance-pay/main'
const MONTH = '2026-10'

/** Set to `keep` to renew the pictures of the README. */
const PICTURES =
  process.env.DAYBOOK_PICTURES === 'keep' ? resolve(import.meta.dirname, 'pictures') : undefined

let world: Omit<BookWorld, 'reportId'>
let browser: Browser
let context: BrowserContext
let page: Page
let base: string
/** Hosts that any page asked, and everything that the browser complained of. */
const hosts = new Set<string>()
const complaints: string[] = []
let reportId = ''

beforeAll(async () => {
  // From the last day of September to the first of November, so that October can be proved whole.
  world = await startLivedWorld({
    start: '2026-09-30T12:00:00Z',
    days: 32,
    breakAt: 12,
    knobs: { processingMs: 2_500, rowsPerDay: 40 },
    env: { DAYBOOK_LOG_LEVEL: 'warn' },
  })
  base = world.test.server.deskUrl ?? ''
  browser = await openBrowser()
  context = await browser.newContext({ viewport: { width: 1280, height: 860 }, acceptDownloads: true })
  page = await context.newPage()
  watch(page)
})
afterAll(async () => {
  await browser?.close()
  await world?.test.stop()
})

function watch(one: Page): void {
  one.on('request', request => hosts.add(new URL(request.url()).host))
  one.on('pageerror', error => complaints.push(error.message))
  one.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
}

async function picture(name: string): Promise<void> {
  if (PICTURES === undefined) return
  await mkdir(PICTURES, { recursive: true })
  await page.screenshot({ path: `${PICTURES}/${name}.png` })
}

const text = (selector: string) => page.locator(selector).first().innerText()

describe('a month at the desk', () => {
  it('begins with the link that was printed', async () => {
    await page.goto(base)
    expect(await text('main')).toContain('Open the link that was printed')
    await page.goto(world.test.loginLinks.at(-1)!)
    expect(page.url()).toBe(`${base}/`)
    expect(await text('h1')).toBe('Overview')
    expect(await context.cookies()).toMatchObject([{ httpOnly: true, sameSite: 'Lax' }])
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  it('asks for a report after its price was shown', async () => {
    await page.getByRole('link', { name: 'Actions' }).click()
    await page.getByLabel('First day').first().fill(world.firstDay)
    await page.getByLabel('Last day').first().fill(addDays(world.firstDay, 32))
    await page.getByRole('button', { name: 'Show the price' }).click()
    expect(await text('.notice')).toContain('1 of the 50 left of November 2026 (0 of 50 used)')
    await shoot(page, 'actions')
    await page.getByRole('button', { name: 'Ask for it' }).click()
    await page.waitForURL(/\/reports\/binance-pay\/main\/\d+/)
    reportId = /\/main\/(\d+)/.exec(page.url())?.[1] ?? ''
    expect(await text('.notice')).toContain(`report ${reportId}, slot 1 of 2026-11`)
    expect(await text('.badge')).toContain('accepted')
  })

  it('shows it arrive while nobody touches the page', async () => {
    await page.evaluate('globalThis.untouched = true')
    await page.locator('.timeline', { hasText: 'called' }).waitFor({ timeout: 30_000 })
    await page.locator('.badge', { hasText: 'parsed' }).first().waitFor({ timeout: 30_000 })
    expect(await page.evaluate('globalThis.untouched')).toBe(true)
    expect(await text('#live-state')).toBe('Live')
    expect(await text('.timeline')).toMatch(/33 of 33 days/)
    await shoot(page, 'report')
  })

  it('gives the original file, byte for byte', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Original file' }).click(),
    ])
    const bytes = await readFile(await download.path())
    const archived = await world.test.daybook.context.reports.read(
      world.test.account.ref,
      reportId,
      'archive',
    )
    expect(hash('sha256', bytes, 'hex')).toBe(archived?.sha256)
    expect(await text('main')).toContain(archived?.sha256)
    await page.goto(`${base}/audit`)
    expect(await text('table')).toMatch(/report\.download/)
    expect(await text('table')).toMatch(/report\.ask/)
    await shoot(page, 'audit')
  })

  it('shows the break once the days are reconciled, without being loaded again', async () => {
    await page.goto(`${base}/`)
    expect(await text('.cards > :nth-child(3)')).toMatch(/\b0\b/)
    await reconcileDays(world.test, `${MONTH}-01`, 31)
    await page.locator('.card.break .figure', { hasText: /[1-9]/ }).waitFor({ timeout: 30_000 })
    await shoot(page, 'overview')
    await picture('overview')
    await page.goto(`${base}/calendar?year=2026`)
    await page.locator(`a[title="${world.breakDay}, break"]`).click()
    expect(await text('h1')).toBe(world.breakDay)
    const [, place = ''] = /R6\/(Spot|Funding)\/USDT/.exec(await text('.card.break')) ?? []
    expect(await text('.card.break')).toMatch(
      /Expected\s+[\d,.]+\s+Actual\s+[\d,.]+\s+Difference\s+\+[\d,.]+ USDT/,
    )
    await shoot(page, 'day')
    await picture('day')
    await page.goto(
      `${base}/balances?holding=${encodeURIComponent(`USDT|${place}`)}&from=${world.firstDay}&to=2026-11-04`,
    )
    await page.locator('#chart canvas').waitFor()
    expect(await text('main')).toContain('They part at 1 of 33 readings')
    await shoot(page, 'balances')
    await picture('balances')
  })

  it('does not let the month be closed while a difference waits', async () => {
    await page.goto(`${base}/close?month=${MONTH}`)
    expect(await text('.verdict')).toContain('not ready')
    expect(await text('.lacks')).toContain('A difference waits for an answer')
    expect(await page.getByRole('button', { name: /^Close/ }).count()).toBe(0)
    await shoot(page, 'close-not-ready')
  })

  it('takes answers, and then closes the month', async () => {
    await page.goto(`${base}/findings`)
    await shoot(page, 'findings')
    await picture('findings')
    let answered = 0
    for (; (await page.locator('summary', { hasText: /^Explain$/ }).count()) > 0; answered++) {
      const card = page.locator('.card', { has: page.locator('summary', { hasText: /^Explain$/ }) }).first()
      await card.locator('summary', { hasText: 'Explain' }).click()
      await card.getByLabel('What is known').fill('Refund booked by hand <i>after</i> the report was made.')
      await card.getByLabel('This answers it').check()
      await card.getByRole('button', { name: 'Keep it' }).click()
      await page.locator('.notice.good', { hasText: 'The answer is kept.' }).waitFor()
      expect(await text('blockquote')).toContain('<i>after</i>')
      await page.goto(`${base}/findings`)
      expect(answered).toBeLessThan(10)
    }
    expect(answered).toBeGreaterThanOrEqual(2)
    await page.goto(`${base}/close?month=${MONTH}`)
    expect(await text('.verdict')).toContain('ready')
    await page.getByLabel('Note', { exact: true }).fill('Agreed with the bank.')
    await page.getByRole('button', { name: 'Close October 2026' }).click()
    await page.locator('.notice.good', { hasText: 'October 2026 is closed (1).' }).waitFor()
    expect(await text('main')).toContain('Nothing has changed since.')
    await shoot(page, 'close')
    await picture('close')
    await page.goto(`${base}/calendar?year=2026`)
    await shoot(page, 'calendar')
    await picture('calendar')
  })

  it('gives the month pack', async () => {
    await page.goto(`${base}/close?month=${MONTH}`)
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Month pack' }).click(),
    ])
    expect(download.suggestedFilename()).toMatch(/\.zip$/)
    expect((await readFile(await download.path())).subarray(0, 2).toString()).toBe('PK')
  })
})

const PAGES = () =>
  [
    ['overview', '/'],
    ['calendar', '/calendar?year=2026'],
    ['day', `/days/${ACCOUNT}/${world.breakDay}`],
    ['day-empty', `/days/${ACCOUNT}/2026-01-01`],
    ['reports', '/reports'],
    ['report', `/reports/${ACCOUNT}/${reportId}`],
    ['balances', `/balances?from=${world.firstDay}&to=2026-11-04`],
    ['findings', '/findings?kind=all'],
    ['close', `/close?month=${MONTH}`],
    ['close-not-ready', '/close?month=2026-09'],
    ['audit', '/audit'],
    ['actions', `/actions?from=2026-08-01&to=2026-08-03&wallets=all&planFrom=2026-06-01`],
  ] as const

describe('every page', () => {
  it.each([
    ['desktop', 1280, 'light'],
    ['dark', 1280, 'dark'],
    ['narrow', 390, 'light'],
  ] as const)('can be used by everybody: %s', async (name, width, colorScheme) => {
    await page.setViewportSize({ width, height: 860 })
    await page.emulateMedia({ colorScheme })
    for (const [title, target] of PAGES()) {
      await page.goto(`${base}${target}`)
      expect([title, await axeFaults(page)]).toEqual([title, []])
      const wide = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      )
      expect([title, wide]).toEqual([title, 0])
      await shoot(page, `${title}-${name}`)
    }
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize({ width: 1280, height: 860 })
  })

  it('can be printed', async () => {
    await page.emulateMedia({ media: 'print' })
    for (const [title, target] of [
      ['close', `/close?month=${MONTH}`],
      ['day', `/days/${ACCOUNT}/${world.breakDay}`],
    ] as const) {
      await page.goto(`${base}${target}`)
      expect(await page.locator('nav').first().isVisible()).toBe(false)
      expect(await page.locator('form').first().isVisible()).toBe(false)
      await shoot(page, `${title}-print`)
    }
    await page.emulateMedia({ media: 'screen' })
  })

  it('can be used by keyboard', async () => {
    await page.goto(`${base}/`)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.goto(`${base}/calendar?year=2026`)
    await page.getByRole('link', { name: /^1\s*October 2026/ }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/days\//)
  })

  it('works without scripts', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false })
    await plain.addCookies(await context.cookies())
    const bare = await plain.newPage()
    watch(bare)
    await bare.goto(`${base}/actions`)
    await bare.getByLabel('First day').first().fill('2026-08-01')
    await bare.getByLabel('Last day').first().fill('2026-08-02')
    await bare.getByRole('button', { name: 'Show the price' }).click()
    await bare.getByRole('button', { name: 'Ask for it' }).click()
    await bare.waitForURL(/\/reports\/binance-pay\/main\/\d+/)
    await eventually(async () => {
      await bare.reload()
      return (await bare.locator('.badge').first().innerText()).includes('parsed') || undefined
    }, 30_000)
    await bare.goto(`${base}/balances?from=${world.firstDay}&to=2026-11-04`)
    expect(await bare.locator('table').first().innerText()).toContain('2026-10-01')
    await plain.close()
  })

  it('asks no other host for anything, and makes the browser complain of nothing', () => {
    expect([...hosts]).toEqual([new URL(base).host])
    expect(complaints).toEqual([])
  })

  it('is gone after logging out', async () => {
    await page.goto(`${base}/`)
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.goto(`${base}/reports`)
    expect(page.url()).toContain('/login?to=')
  })
})
