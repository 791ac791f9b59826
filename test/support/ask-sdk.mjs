// Who the JavaScript SDK is with a profile: prints the ARN.
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromIni } from '@aws-sdk/credential-providers';

const [profile] = process.argv.slice(2);
const client = new STSClient({ credentials: fromIni({ profile }), region: 'us-east-1' });
const { Arn } = await client.send(new GetCallerIdentityCommand({}));
console.log(Arn);
