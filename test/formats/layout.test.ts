import { describe, expect, it } from 'vitest'
import { columnNames, nameConflicts } from '../../src/domain/column-names.ts'
import { DaybookError } from '../../src/domain/errors.ts'
import { type Layout, layoutOf } from '../../src/formats/layout.ts'

const layout = (header: string): Layout => layoutOf(header.split(','), 1000)

function faultOf(header: string): DaybookError {
  try {
    layout(header)
  } catch (error) {
    if (error instanceof DaybookError) return error
  }
  throw new Error('not refused')
}

describe('layoutOf', () => {
  it.each([
    ['A', 'UTC', 'UTC_Time,Account,Operation,Coin,Change,Remark'],
    ['B', 'UTC', 'User_ID,UTC_Time,Account,Operation,Coin,Change,Remark'],
    ['C', undefined, 'User ID,Time,Account,Operation,Coin,Change,Remark'],
    ['C', undefined, 'User_Id,Time,Account,Operation,Coin,Change,Remark'],
    ['C', undefined, 'User_ID,Time,Account,Operation,Coin,Change,Remark'],
    ['B', 'UTC', ' USER_ID , utc time,account,OPERATION,coin,change,remark'],
    ['C', undefined, 'ID de usuario,Tiempo,Cuenta,Operación,Moneda,Cambio,Observación'],
    ['C', undefined, 'Identifiant utilisateur,Durée,Compte,Opération,Jeton,Change,Remarque'],
    ['C', undefined, 'ID do Usuário,Tempo,Conta,Operação,Moeda,Alterar,Observação'],
    ['C', undefined, 'ID пользователя,Время,Аккаунт,Операция,Коин,Изменить,Примечание'],
    ['C', undefined, 'ID de usuario,Tiempo,Cuenta,Operación,Moneda,Cambio,Observación'.normalize('NFD')],
    ['B', 'UTC+8', 'User_ID,Date(UTC+8),Account,Operation,Coin,Change,Remark'],
  ])('knows %s in zone %s by name: %s', (name, zone, header) => {
    const found = layout(header)
    expect(found).toMatchObject({ name, zone, extra: [] })
    expect(found.columns.amount).toBe(header.split(',').length - 2)
  })

  it('finds columns in any order and keeps those nobody asked for', () => {
    const found = layout('EUR_Value,Change,Coin,Note,Operation,Account,UTC_Time,Note')
    expect(found.columns).toEqual({ amount: 1, asset: 2, operation: 4, wallet: 5, time: 6 })
    expect(found.extra).toEqual([
      { index: 0, name: 'EUR_Value' },
      { index: 3, name: 'Note' },
      { index: 7, name: 'Note (2)' },
    ])
  })

  it.each([
    ['A', '2021-01-01 00:00:00,Spot,Deposit,USDT,1.5,'],
    ['A', '21-01-01 00:00:00,Funding,Anything new,1INCH,-1E-8,P2P - 12345678901234567890'],
    ['C', '35460001,2021-01-01 00:00:00,USDT-Futures,Fee,币安人生,+1.5,'],
  ])(
    'takes a first line that can only be a row for a file of layout %s without a header: %s',
    (name, row) => {
      const columns = { time: 0, wallet: 1, operation: 2, asset: 3, amount: 4, remark: 5 }
      const shifted = Object.entries(columns).map(([meaning, index]) => [meaning, index + 1] as const)
      expect(layout(row)).toMatchObject({
        name,
        headerless: true,
        zone: undefined,
        columns: name === 'A' ? columns : { userId: 0, ...Object.fromEntries(shifted) },
      })
    },
  )

  it.each([
    'no wallet that is known: 2021-01-01 00:00:00,BTCUSDT,BUY,USDT,1.5,',
    'a date that could mean two days: 5/1/2022 14:00,Spot,Deposit,USDT,1.5,',
    'no amount: 2021-01-01 00:00:00,Spot,Deposit,USDT,,',
    'no asset: 2021-01-01 00:00:00,Spot,Deposit,100,1.5,',
    'no operation: 2021-01-01 00:00:00,Spot,12,USDT,1.5,',
    'a user id of letters: someone,2021-01-01 00:00:00,Spot,Deposit,USDT,1.5,',
    'too few cells: 2021-01-01 00:00:00,Spot,Deposit,USDT,1.5',
    'too many cells: 35460001,2021-01-01 00:00:00,Spot,Deposit,USDT,1.5,,',
  ])('does not guess when there is %s', text => {
    const row = text.slice(text.indexOf(': ') + 2)
    expect(faultOf(row)).toMatchObject({ details: { reason: 'no-header' } })
  })

  it('knows the names a user adds beside its own', () => {
    const names = columnNames({ amount: ['Net_Amount', 'change'], remark: ['Text'], time: ['Booked at'] })
    const header = ['Booked AT(UTC+3)', 'Account', 'Operation', 'Coin', 'net amount', 'TEXT']
    expect(layoutOf(header, 1000, names)).toMatchObject({
      columns: { time: 0, wallet: 1, operation: 2, asset: 3, amount: 4, remark: 5 },
      zone: 'UTC+3',
    })
    expect(faultOf(header.join(','))).toMatchObject({ details: { reason: 'column-missing' } })
  })

  it.each([
    ['in the table', { remark: ['CHANGE'] }, 'CHANGE', 'remark', 'amount'],
    ['in the list of another meaning', { time: ['Net'], amount: ['net '] }, 'net ', 'amount', 'time'],
  ])('refuses to add a name that means something else %s', (_, added, name, meaning, known) => {
    expect(nameConflicts(added)).toEqual([{ meaning, index: 0, name, known }])
    expect(() => columnNames(added)).toThrow(
      `The column name "${name}" cannot be added as ${meaning}: it means ${known} already.`,
    )
  })

  it('names the meaning that is missing and the header that was seen', () => {
    const fault = faultOf('User_ID,UTC_Time,Account,Operation,Coin,Remark')
    expect(fault.code).toBe('file-unreadable')
    expect(fault.details).toMatchObject({ reason: 'column-missing', missing: 'amount' })
    expect(fault.message).toContain('User_ID,UTC_Time,Account,Operation,Coin,Remark')
  })

  it.each([
    ['no-header', '35460001,2025-01-01 00:00:00,Vault,Deposit,USDT,1.5,'],
    ['column-ambiguous', 'UTC_Time,Time,Account,Operation,Coin,Change'],
    ['other-product', 'User_Id,Time,Category,Operation,Order_Id,Transaction_Id,Primary_Asset'],
    ['other-product', 'Date(UTC),Pair,Side,Price,Executed,Amount,Fee'],
    ['other-product', 'Date(UTC),Coin,Network,Amount,TransactionFee,Address,TXID'],
    ['other-product', 'Date(UTC),type,Amount,Asset,Symbol,Transaction ID'],
    ['separator', 'User_ID;UTC_Time;Account;Operation;Coin;Change;Remark'],
    ['separator', 'UTC_Time\tAccount\tOperation\tCoin\tChange'],
    ['too-many-columns', 'Time,Account,Operation,Coin,Change'.concat(',x'.repeat(1000))],
  ])('refuses as %s: %s', (reason, header) => {
    expect(faultOf(header)).toMatchObject({ code: 'file-unreadable', details: { reason } })
  })

  it('shows no values where a header is missing', () => {
    const fault = faultOf('35460001,2025-01-01 00:00:00,Vault,Deposit,USDT,1.5,')
    expect(JSON.stringify([fault.message, fault.details])).not.toMatch(/3546|1\.5/)
  })
})
