import http from 'node:http';
import type { Environment } from '../context.ts';

/**
 * Whose credentials AWS's tools go on to on this machine when a profile has no key, as the subject of a sentence:
 * those of a container, by its variables, or of an instance, when its metadata service answers. Takes a second at most.
 */
export const findOtherCredentials = async (env: Environment): Promise<string[]> => {
  const variable = ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'].find(
    (name) => env[name],
  );
  return [
    ...(variable === undefined ? [] : [`the credentials of this container (${variable})`]),
    ...((await hasMetadataService(env)) ? ["the role of this machine (an instance's metadata service)"] : []),
  ];
};

const hasMetadataService = (env: Environment): Promise<boolean> => {
  const { AWS_EC2_METADATA_DISABLED: disabled = '', AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint } = env;
  const url = `${(endpoint || 'http://169.254.169.254').replace(/\/$/, '')}/latest/api/token`;
  if (disabled.toLowerCase() === 'true' || !URL.canParse(url) || !url.startsWith('http:'))
    return Promise.resolve(false);
  return new Promise((resolve) => {
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' };
    const request = http.request(url, { method: 'PUT', headers, signal: AbortSignal.timeout(1000) });
    request.on('response', (answer) => {
      answer.resume();
      resolve(true);
      request.destroy();
    });
    request.on('error', () => resolve(false)).end();
  });
};
