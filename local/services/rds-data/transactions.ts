import type * as SDK from '@aws-sdk/client-rds-data';
import { operations } from '../../world/service.ts';
import { Transaction } from '../rds/sql/transaction.ts';
import type { DataState } from './state.ts';

export const transactions = operations<typeof SDK, DataState>()({
  BeginTransaction(input, { state, world }) {
    const instance = state.served(input);
    const transactionId = Buffer.from(world.random.bytes(48)).toString('base64');
    state.transactions.set(transactionId, new Transaction(instance.store, world.clock.now()));
    return { transactionId };
  },

  CommitTransaction({ transactionId = '', ...asked }, { state, world }) {
    state.transaction(transactionId, state.served(asked));
    state.end(transactionId).commit(world.clock.now());
    return { transactionStatus: 'Transaction Committed' };
  },

  RollbackTransaction({ transactionId = '', ...asked }, { state }) {
    state.transaction(transactionId, state.served(asked));
    state.end(transactionId).rollback();
    return { transactionStatus: 'Rollback Complete' };
  },
});
