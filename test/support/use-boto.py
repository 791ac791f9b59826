"""Calls AWS until so many different keys have signed: prints each key once, with who it was."""

import os
import sys

import boto3

# old ones do not look at the variable by themselves
client = boto3.client("sts", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
seen = []
while len(seen) < int(sys.argv[1]):
    arn = client.get_caller_identity()["Arn"]
    key = client._request_signer._credentials.access_key
    if key not in seen:
        seen.append(key)
        print(key, arn, flush=True)
