import { describe, expect, it } from 'vitest'
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

  it('names the meaning that is missing and the header that was seen', () => {
    const fault = faultOf('User_ID,UTC_Time,Account,Operation,Coin,Remark')
    expect(fault.code).toBe('file-unreadable')
    expect(fault.details).toMatchObject({ reason: 'column-missing', missing: 'amount' })
    expect(fault.message).toContain('User_ID,UTC_Time,Account,Operation,Coin,Remark')
  })

  it.each([
    ['no-header', '35460001,2025-01-01 00:00:00,Spot,Deposit,USDT,1.5,'],
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
    const fault = faultOf('35460001,2025-01-01 00:00:00,Spot,Deposit,USDT,1.5,')
    expect(JSON.stringify([fault.message, fault.details])).not.toMatch(/3546|1\.5/)
  })
})
