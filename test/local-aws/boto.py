"""Makes one AWS call with boto3 for each JSON line of stdin, and prints what came of it as a JSON line."""

import json
import sys

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

print(json.dumps({"version": boto3.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    credentials = request["credentials"]
    client = boto3.client(
        request["service"],
        endpoint_url=request["url"],
        region_name=request["region"],
        aws_access_key_id=credentials["accessKeyId"],
        aws_secret_access_key=credentials["secretAccessKey"],
        aws_session_token=credentials.get("sessionToken"),
        config=Config(retries={"total_max_attempts": 1}),
    )
    operation = xform_name(request["operation"])
    try:
        if request.get("presign"):
            url = client.generate_presigned_url(
                operation,
                request["parameters"],
                ExpiresIn=request["expiresIn"],
                HttpMethod="GET",
            )
            answer = {"url": url}
        else:
            answer = getattr(client, operation)(**request["parameters"])
        outcome = {"status": 200, "answer": answer}
    except ClientError as error:
        outcome = {
            "status": error.response["ResponseMetadata"]["HTTPStatusCode"],
            "code": error.response["Error"]["Code"],
            "message": error.response["Error"].get("Message"),
        }
    print(json.dumps(outcome, default=str), flush=True)
