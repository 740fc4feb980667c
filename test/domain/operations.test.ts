import { describe, expect, it } from 'vitest'
import { categoryOf, UNKNOWN_CATEGORY, walletOf } from '../../src/domain/operations.ts'

describe('categoryOf', () => {
  it.each([
    ['Deposit', 'deposit'],
    ['Merchant Acquiring', 'pay'],
    ['Send', 'pay'],
    ['P2P Trading', 'p2p'],
    ['Transaction Fee', 'fee'],
    ['Transfer Between Main and Funding Wallet', 'transfer'],
    ['Crypto Box', 'gift'],
    ['Launchpool Earnings Withdrawal', 'reward'],
    ['ETH 2.0 Staking Withdrawals', 'conversion'],
    ['Withdrawal - Initiate Freeze', 'adjustment'],
  ])('knows %s as %s', (operation, category) => {
    expect(categoryOf(operation, '')).toBe(category)
  })

  it('matches whatever the case and spacing', () => {
    expect(categoryOf('  merchant   ACQUIRING ', '')).toBe('pay')
  })

  it('tells a payment from a move between own wallets by the remark', () => {
    expect(categoryOf('Transfer', 'Binance Pay - P_A1B2C3D4E5F60718')).toBe('pay')
    expect(categoryOf('Transfer', '')).toBe('transfer')
  })

  it('never guesses', () => {
    expect(categoryOf('Quantum Settlement', '')).toBe(UNKNOWN_CATEGORY)
    expect(categoryOf('constructor', '')).toBe(UNKNOWN_CATEGORY)
  })
})

describe('walletOf', () => {
  it.each([
    ['SPOT', 'Spot'],
    ['funding', 'Funding'],
    ['USDT-Futures', 'USD-M Futures'],
    ['USD-MFutures', 'USD-M Futures'],
    ['COIN-M', 'Coin-M Futures'],
    ['CrossMargin', 'Cross Margin'],
    ['Moon Wallet', 'Moon Wallet'],
  ])('calls %s %s', (name, wallet) => {
    expect(walletOf(name)).toBe(wallet)
  })
})
