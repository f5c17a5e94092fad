"""What an outsider does who has never heard of Stillpoint: boto3 against an endpoint. Prints what it saw as JSON."""

import io
import json
import sys
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint = sys.argv[1]
config = Config(s3={"addressing_style": "path"}, signature_version="v4", retries={"max_attempts": 1, "mode": "standard"})


def client(name, region="eu-west-1", key="111122223333", **keys):
    return boto3.client(
        name,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key="none",
        config=config,
        **keys,
    )


def refused(call):
    try:
        call()
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]
    return None


def s3_says():
    s3 = client("s3")
    s3.create_bucket(Bucket="box", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="box", VersioningConfiguration={"Status": "Enabled"})
    key = "folder/a b+c é/"
    s3.put_object(Bucket="box", Key=key, Body=b"hello world", Metadata={"owner": "me"}, ContentType="text/plain")
    got = s3.get_object(Bucket="box", Key=key)
    s3.upload_fileobj(io.BytesIO(b"x" * 9_000_000), "box", "large")
    s3.copy_object(Bucket="box", Key="copy", CopySource={"Bucket": "box", "Key": key})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="box", Key="twice", Body=body)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": key})
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="box", PaginationConfig={"PageSize": 1})
    return {
        "body": got["Body"].read().decode(),
        "metadata": got["Metadata"],
        "type": got["ContentType"],
        "range": s3.get_object(Bucket="box", Key=key, Range="bytes=6-10")["Body"].read().decode(),
        "head": s3.head_object(Bucket="box", Key="large")["ContentLength"],
        "copy": s3.get_object(Bucket="box", Key="copy")["Body"].read().decode(),
        "keys": [found["Key"] for page in pages for found in page["Contents"]],
        "versions": len(s3.list_object_versions(Bucket="box", Prefix="twice")["Versions"]),
        "presigned": urllib.request.urlopen(url).read().decode(),
        "location": s3.get_bucket_location(Bucket="box")["LocationConstraint"],
        "exists": refused(lambda: s3.put_object(Bucket="box", Key="twice", Body=b"3", IfNoneMatch="*")),
        "missing": refused(lambda: s3.get_object(Bucket="box", Key="none")),
        "missingHead": refused(lambda: s3.head_object(Bucket="box", Key="none")),
        "torrent": refused(lambda: s3.get_object_torrent(Bucket="box", Key="copy")),
        "deleted": len(s3.delete_objects(Bucket="box", Delete={"Objects": [{"Key": "copy"}, {"Key": "large"}]})["Deleted"]),
    }


def ec2_says():
    ec2 = client("ec2")
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "app", "Value": "shop & co"}]}]
    ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1, TagSpecifications=tags)
    found = ec2.describe_volumes(Filters=[{"Name": "tag:app", "Values": ["shop & co", "other"]}])["Volumes"]
    return {
        "volumes": [[volume["Size"], volume["Tags"]] for volume in found],
        "elsewhere": len(client("ec2", region="us-east-1").describe_volumes()["Volumes"]),
        "missing": refused(lambda: ec2.describe_volumes(VolumeIds=["vol-0123456789abcdef0"])),
        "hosts": refused(lambda: ec2.describe_hosts()),
    }


def kms_says():
    kms = client("kms")
    key = kms.create_key(Description="mine")["KeyMetadata"]
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"\x00\xffsecret", EncryptionContext={"a": "b"})["CiphertextBlob"]
    opened = kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "b"})["Plaintext"]
    return {"opened": opened.hex(), "wrong": refused(lambda: kms.decrypt(CiphertextBlob=sealed))}


def sts_says():
    role = client("sts").assume_role(RoleArn="arn:aws:iam::222222222222:role/restore", RoleSessionName="me")["Credentials"]
    session = boto3.client(
        "sts",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )
    return {"root": client("sts").get_caller_identity()["Arn"], "role": session.get_caller_identity()["Arn"]}


def others_say():
    return {
        "functions": client("lambda").list_functions()["Functions"],
        "noFunction": refused(lambda: client("lambda").get_function(FunctionName="none")),
        "noTable": refused(lambda: client("dynamodb").describe_table(TableName="none")),
        "noService": refused(lambda: client("redshift").describe_clusters()),
    }


print(json.dumps({"s3": s3_says(), "ec2": ec2_says(), "kms": kms_says(), "sts": sts_says(), "others": others_say()}))
