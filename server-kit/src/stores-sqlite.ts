export {
  createSqliteStores,
  type SqliteStores,
  type SqliteStoresOptions,
} from './stores/sqlite/create-sqlite-stores.ts';
