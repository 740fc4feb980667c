/** The whole flow on a bucket, through real processes: what `doctor`, `serve`, `submit` and `download` do there. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../src/host.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { freePort } from '../support/free-port.ts'
import { type Running, runDaybook, startDaybook } from '../support/run-daybook.ts'
import type { S3Place } from '../support/s3-stand-in.ts'
import { CREDENTIALS, eventually } from '../support/test-daybook.ts'

export function describeS3Flow(name: string, open: () => Promise<S3Place & { stop(): Promise<void> }>): void {
  describe(`the flow on ${name}`, () => {
    let place: Awaited<ReturnType<typeof open>>
    let sandbox: Sandbox
    let server: Running
    let env: Record<string, string>

    beforeAll(async () => {
      place = await open()
      const port = await freePort()
      sandbox = await startSandbox({
        merchants: [
          {
            name: 'test',
            ...CREDENTIALS,
            callbackUrl: `http://127.0.0.1:${port}/callbacks/binance-pay/main`,
          },
        ],
        seed: 's3',
        knobs: { processingMs: 100, callbackRetryFirstMs: 100, fileContainer: 'gzip' },
        clock: systemClock,
        random: systemRandom,
      })
      env = {
        DAYBOOK_STORE: `s3://${place.bucket}/books/of/2026`,
        DAYBOOK_S3_ENDPOINT: place.endpoint,
        AWS_ACCESS_KEY_ID: place.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: place.credentials.secretAccessKey,
        BINANCE_PAY_BASE_URL: sandbox.url,
        BINANCE_PAY_API_KEY: CREDENTIALS.apiKey,
        BINANCE_PAY_SECRET_KEY: CREDENTIALS.secretKey,
        DAYBOOK_DOWNLOAD_HOSTS: `127.0.0.1:${sandbox.port}`,
        DAYBOOK_LISTEN: `127.0.0.1:${port}`,
        DAYBOOK_SWEEP_SECONDS: '1',
      }
      server = startDaybook(['serve'], env)
      await eventually(() => (server.output().includes('server.started') ? true : undefined))
    }, 60_000)

    afterAll(async () => {
      server?.kill('SIGTERM')
      await server?.ended
      await sandbox?.stop()
      await place?.stop()
    })

    async function run(...args: string[]) {
      const { code, stdout, stderr } = await runDaybook([...args, '--json'], env)
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stdout}${stderr}`)
      return JSON.parse(stdout)
    }

    it('passes the doctor', async () => {
      const { healthy, findings } = await run('doctor')
      expect(healthy).toBe(true)
      const said = findings as { check: string; result: string; says: string }[]
      const about = (what: string) => said.find(({ check }) => check.endsWith(`, ${what}`))
      expect(about('clock')).toMatchObject({ result: 'ok', says: expect.stringContaining("store's clock") })
      expect(about('policy')).toMatchObject({ result: 'note', says: expect.stringContaining('are allowed') })
    })

    it('takes a report to published days, and gives its file by a link', async () => {
      const { reportId } = await run('submit', '--from', '2025-03-01', '--to', '2025-03-05')
      const report = await eventually(async () => {
        const { accounts } = await run('status')
        return accounts[0].reports.find((line: { state: string }) => line.state === 'parsed')
      }, 30_000)
      expect(report).toMatchObject({ reportId, days: '2025-03-01 to 2025-03-05', rows: 600 })
      expect(sandbox.books().generationsByMonth.test).toEqual({ [new Date().toISOString().slice(0, 7)]: 1 })

      const parsed = await run('parse', reportId)
      expect(
        parsed.manifest.days.every((day: { publication: string }) => day.publication === 'published'),
      ).toBe(true)
      const { link, sha256 } = await run('download', reportId, '--link')
      const response = await fetch(link)
      expect(response.headers.get('content-disposition')).toContain('attachment')
      const bytes = Buffer.from(await response.arrayBuffer())
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
    }, 60_000)
  })
}
