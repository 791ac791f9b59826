import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromEnv, fromIni } from '@aws-sdk/credential-providers';

// What any AWS tool does with the variables or with a profile: a signed request, here to say who that is.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
const [, , option, profile] = process.argv;
const credentials = option === '--profile' && profile !== undefined ? fromIni({ profile }) : fromEnv();
const region = process.env['AWS_REGION'] ?? 'us-east-1';
new STSClient({ region, credentials }).send(new GetCallerIdentityCommand()).then(
  ({ Arn }) => console.log(Arn),
  (error: unknown) => {
    console.error(`who-am-i: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  },
);
