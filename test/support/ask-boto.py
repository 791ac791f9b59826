"""What boto3 makes of a profile: prints JSON. With a second word it also asks STS who that is."""

import json
import sys

try:
    import boto3
except ImportError:
    sys.exit("no boto3")

session = boto3.Session(profile_name=sys.argv[1])
credentials = session.get_credentials().get_frozen_credentials()
arn = session.client("sts").get_caller_identity()["Arn"] if len(sys.argv) > 2 else None
print(
    json.dumps(
        {
            "accessKeyId": credentials.access_key,
            "secretAccessKey": credentials.secret_key,
            "sessionToken": credentials.token,
            "region": session.region_name,
            "arn": arn,
        }
    )
)
