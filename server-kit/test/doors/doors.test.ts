import { doorContract } from './door.contract.ts';
import { hosts } from './hosts.ts';

for (const host of hosts) doorContract(host);
