export {
  createRedisStores,
  type RedisStores,
  type RedisStoresOptions,
} from './stores/redis/create-redis-stores.ts';
