"""Databases, file systems and images in two regions, as an outsider keeps them with boto3 alone. Prints what it saw as JSON."""

import hashlib
import json
import sys
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint = sys.argv[1]
ACCOUNT = "111122223333"
HOME, AWAY = "us-east-1", "eu-west-1"
config = Config(signature_version="v4", retries={"max_attempts": 1, "mode": "standard"})


def client(name, region):
    return boto3.client(
        name,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="none",
        config=config,
    )


def control(path, **body):
    request = urllib.request.Request(f"{endpoint}/_stillpoint{path}", data=json.dumps(body).encode(), method="POST")
    return json.load(urllib.request.urlopen(request))


def refused(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def until(so, step=60):
    """Lets virtual time pass until something is so; nothing takes longer than a day."""
    for _ in range(1440):
        answer = so()
        if answer:
            return answer
        control("/clock", advanceSeconds=step)
    raise TimeoutError("It did not come to be so within a day.")


def say(region, arn, sql):
    answer = client("rds-data", region).execute_statement(resourceArn=arn, secretArn="arn:aws:secretsmanager:x", sql=sql)
    return [[next(iter(field.values())) for field in row] for row in answer.get("records", [])]


def instances_say():
    home, away = client("rds", HOME), client("rds", AWAY)
    key = client("kms", HOME).create_key()["KeyMetadata"]["Arn"]
    awaysKey = client("kms", AWAY).create_key()["KeyMetadata"]["Arn"]
    made = home.create_db_instance(
        DBInstanceIdentifier="Orders",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        DBName="shop",
        StorageEncrypted=True,
        KmsKeyId=key,
        BackupRetentionPeriod=7,
        Tags=[{"Key": "app", "Value": "shop"}],
    )["DBInstance"]

    def instance(rds, name):
        return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    until(lambda: instance(home, "orders")["DBInstanceStatus"] == "available")
    arn = made["DBInstanceArn"]
    say(HOME, arn, "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)")
    say(HOME, arn, "INSERT INTO orders (item) VALUES ('one'), ('two')")
    home.create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier="nightly")


    def snapshot(rds, name):
        return rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]

    taken = until(lambda: snapshot(home, "nightly")["Status"] == "available" and snapshot(home, "nightly"))
    say(HOME, arn, "DELETE FROM orders")
    source = taken["DBSnapshotArn"]
    copy = {"SourceDBSnapshotIdentifier": source, "TargetDBSnapshotIdentifier": "nightly-away", "SourceRegion": HOME}
    keyless = refused(lambda: away.copy_db_snapshot(**copy))
    away.copy_db_snapshot(**copy, KmsKeyId=awaysKey)
    until(lambda: snapshot(away, "nightly-away")["Status"] == "available")
    away.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="nightly-away", WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    replica = away.start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=arn, KmsKeyId=awaysKey, BackupRetentionPeriod=3, SourceRegion=HOME
    )["DBInstanceAutomatedBackup"]

    def window():
        found = away.describe_db_instance_automated_backups(DbiResourceId=made["DbiResourceId"])["DBInstanceAutomatedBackups"]
        return found[0].get("RestoreWindow")

    until(window)
    empty = until(lambda: window()["LatestTime"] > taken["SnapshotCreateTime"] and window()["LatestTime"], step=300)
    until(lambda: (window()["LatestTime"] - empty).total_seconds() >= 300)
    control(f"/regions/{HOME}", dark=True)
    try:
        away.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="from-snapshot", DBSnapshotIdentifier="nightly-away")
        away.restore_db_instance_to_point_in_time(
            TargetDBInstanceIdentifier="from-log",
            SourceDBInstanceAutomatedBackupsArn=replica["DBInstanceAutomatedBackupsArn"],
            RestoreTime=window()["LatestTime"],
        )
        back = {}
        for name in ("from-snapshot", "from-log"):
            until(lambda: instance(away, name)["DBInstanceStatus"] == "available", step=300)
            found = instance(away, name)
            back[name] = {
                "rows": say(AWAY, found["DBInstanceArn"], "SELECT * FROM orders ORDER BY id"),
                "underAwaysKey": found["KmsKeyId"] == awaysKey,
                "endpoint": found["Endpoint"]["Address"].endswith(f".{AWAY}.rds.amazonaws.com"),
            }
        tooEarly = refused(
            lambda: away.restore_db_instance_to_point_in_time(
                TargetDBInstanceIdentifier="never",
                SourceDBInstanceAutomatedBackupsArn=replica["DBInstanceAutomatedBackupsArn"],
                RestoreTime="2000-01-01T00:00:00Z",
            )
        )
    finally:
        control(f"/regions/{HOME}", dark=False)
    return {
        "named": made["DBInstanceIdentifier"],
        "tags": made["TagList"],
        "keyless": keyless,
        "back": back,
        "tooEarly": tooEarly,
        "missing": refused(lambda: home.describe_db_instances(DBInstanceIdentifier="none")),
        "twice": refused(lambda: home.create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier="nightly")),
    }


def clusters_say():
    home, away = client("rds", HOME), client("rds", AWAY)
    made = home.create_db_cluster(
        DBClusterIdentifier="ledger", Engine="aurora-postgresql", DatabaseName="shop", EnableHttpEndpoint=True, BackupRetentionPeriod=7
    )["DBCluster"]

    def cluster(rds, name):
        return rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]

    def member(rds, name, of):
        rds.create_db_instance(
            DBInstanceIdentifier=name, DBClusterIdentifier=of, Engine="aurora-postgresql", DBInstanceClass="db.r7g.large"
        )
        until(lambda: rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"] == "available")

    until(lambda: cluster(home, "ledger")["Status"] == "available")
    without = refused(lambda: say(HOME, made["DBClusterArn"], "SELECT 1"))
    member(home, "ledger-1", "ledger")
    say(HOME, made["DBClusterArn"], "CREATE TABLE entries (id INTEGER PRIMARY KEY, amount INTEGER)")
    say(HOME, made["DBClusterArn"], "INSERT INTO entries (amount) VALUES (5), (7)")
    home.create_db_cluster_snapshot(DBClusterIdentifier="ledger", DBClusterSnapshotIdentifier="nightly")

    def snapshot(rds, name):
        return rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)["DBClusterSnapshots"][0]

    until(lambda: snapshot(home, "nightly")["Status"] == "available")
    away.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=snapshot(home, "nightly")["DBClusterSnapshotArn"],
        TargetDBClusterSnapshotIdentifier="nightly-away",
        SourceRegion=HOME,
    )
    until(lambda: snapshot(away, "nightly-away")["Status"] == "available")
    restored = away.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="ledger-back", SnapshotIdentifier="nightly-away", Engine="aurora-postgresql"
    )["DBCluster"]
    until(lambda: cluster(away, "ledger-back")["Status"] == "available")
    members = cluster(away, "ledger-back")["DBClusterMembers"]
    member(away, "ledger-back-1", "ledger-back")
    silent = refused(lambda: say(AWAY, restored["DBClusterArn"], "SELECT 1"))
    away.enable_http_endpoint(ResourceArn=restored["DBClusterArn"])
    return {
        "without": without,
        "members": members,
        "writer": cluster(away, "ledger-back")["DBClusterMembers"][0]["IsClusterWriter"],
        "silent": silent,
        "rows": say(AWAY, restored["DBClusterArn"], "SELECT * FROM entries ORDER BY id"),
        "full": refused(lambda: home.delete_db_cluster(DBClusterIdentifier="ledger", SkipFinalSnapshot=True)),
    }


def backups_say():
    role = f"arn:aws:iam::{ACCOUNT}:role/backups"
    vaults = {}
    for region in (HOME, AWAY):
        key = client("kms", region).create_key()["KeyMetadata"]["Arn"]
        vaults[region] = client("backup", region).create_backup_vault(BackupVaultName="mine", EncryptionKeyArn=key)["BackupVaultArn"]
    files = client("efs", HOME).create_file_system(CreationToken="one", Encrypted=True)
    until(lambda: client("efs", HOME).describe_file_systems()["FileSystems"][0]["LifeCycleState"] == "available")
    path = f"{endpoint}/_stillpoint/efs/{files['FileSystemId']}/photos/a.jpg"
    urllib.request.urlopen(urllib.request.Request(path, data=b"picture", method="PUT"))
    home, away = client("backup", HOME), client("backup", AWAY)
    job = home.start_backup_job(
        BackupVaultName="mine", ResourceArn=files["FileSystemArn"], IamRoleArn=role, RecoveryPointTags={"kept": "yes"}
    )
    describe = lambda: home.describe_backup_job(BackupJobId=job["BackupJobId"])
    created = describe()["State"]
    done = until(lambda: describe()["State"] == "COMPLETED" and describe())
    copy = home.start_copy_job(
        RecoveryPointArn=done["RecoveryPointArn"],
        SourceBackupVaultName="mine",
        DestinationBackupVaultArn=vaults[AWAY],
        IamRoleArn=role,
    )
    copied = lambda: home.describe_copy_job(CopyJobId=copy["CopyJobId"])["CopyJob"]
    until(lambda: copied()["State"] == "COMPLETED")
    point = copied()["DestinationRecoveryPointArn"]
    metadata = away.get_recovery_point_restore_metadata(BackupVaultName="mine", RecoveryPointArn=point)["RestoreMetadata"]
    restore = away.start_restore_job(
        RecoveryPointArn=point,
        IamRoleArn=role,
        ResourceType="EFS",
        Metadata={**metadata, "newFileSystem": "true", "CreationToken": "back", "Encrypted": "false", "PerformanceMode": "generalPurpose"},
    )
    ended = lambda: away.describe_restore_job(RestoreJobId=restore["RestoreJobId"])
    until(lambda: ended()["Status"] in ("COMPLETED", "FAILED"))
    made = ended().get("CreatedResourceArn", "").rsplit("/", 1)[-1]
    return {
        "created": created,
        "listed": [found["Status"] for found in away.list_recovery_points_by_backup_vault(BackupVaultName="mine")["RecoveryPoints"]],
        "ofHome": point.split(":")[3],
        "status": ended()["Status"],
        "made": [found["FileSystemId"] == made for found in client("efs", AWAY).describe_file_systems()["FileSystems"]],
        "photo": urllib.request.urlopen(f"{endpoint}/_stillpoint/efs/{made}/photos/a.jpg").read().decode(),
        "missing": refused(lambda: home.describe_backup_job(BackupJobId="none")),
    }


def images_say():
    home, away = client("ecr", HOME), client("ecr", AWAY)
    home.put_replication_configuration(
        replicationConfiguration={"rules": [{"destinations": [{"region": AWAY, "registryId": ACCOUNT}]}]}
    )
    repository = home.create_repository(repositoryName="shop/web")["repository"]

    def layer(content):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        upload = home.initiate_layer_upload(repositoryName="shop/web")["uploadId"]
        home.upload_layer_part(
            repositoryName="shop/web", uploadId=upload, partFirstByte=0, partLastByte=len(content) - 1, layerPartBlob=content
        )
        home.complete_layer_upload(repositoryName="shop/web", uploadId=upload, layerDigests=[digest])
        return {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest, "size": len(content)}

    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {**layer(b'{"architecture":"arm64","os":"linux"}'), "mediaType": "application/vnd.oci.image.config.v1+json"},
            "layers": [layer(b"a layer" * 1000)],
        }
    )
    put = home.put_image(repositoryName="shop/web", imageManifest=manifest, imageTag="v1")["image"]
    images = lambda: away.list_images(repositoryName="shop/web")["imageIds"]

    def there():
        try:
            return images()
        except away.exceptions.RepositoryNotFoundException:
            return []

    until(there, step=30)
    found = away.batch_get_image(repositoryName="shop/web", imageIds=[{"imageTag": "v1"}])
    digest = json.loads(found["images"][0]["imageManifest"])["layers"][0]["digest"]
    url = away.get_download_url_for_layer(repositoryName="shop/web", layerDigest=digest)["downloadUrl"]
    home.batch_delete_image(repositoryName="shop/web", imageIds=[{"imageTag": "v1"}])
    return {
        "registry": repository["repositoryUri"],
        "sameDigest": [image["imageDigest"] == put["imageId"]["imageDigest"] for image in images()],
        "tags": [image.get("imageTag") for image in images()],
        "sameManifest": found["images"][0]["imageManifest"] == manifest,
        "layer": len(urllib.request.urlopen(url).read()),
        "goneAtHome": home.list_images(repositoryName="shop/web")["imageIds"],
        "missing": refused(lambda: away.list_images(repositoryName="none")),
    }


print(
    json.dumps(
        {"instances": instances_say(), "clusters": clusters_say(), "backups": backups_say(), "images": images_say()}, default=str
    )
)
