// Loaded when STS is called. Named here, so that the bundle holds these and no other parts of the SDK.
export {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
