"""What stands in AWS before trueup comes: the stack, the secrets and the images of the e-learning system."""

import hashlib
import json
from pathlib import Path

STACK = "elearning-system-infrastructure"
REPOSITORIES = ("elearning-system-backend", "elearning-system-frontend")
SECRETS = {
    "elearning-system/database": {"host": "db.internal", "username": "elearning", "password": "not-a-real-password"},
    "elearning-system/django": {"secret_key": "not-a-real-key"},
    "elearning-system/redis": {"url": "rediss://cache.internal:6379/0"},
}
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def create(client):
    """Makes everything that the example's documents refer to. `client` gives a boto3 client by service name."""
    template = Path(__file__).with_name("infrastructure.yaml").read_text(encoding="utf-8")
    client("cloudformation").create_stack(
        StackName=STACK, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    for name, value in SECRETS.items():
        client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(value))
    for repository in REPOSITORIES:
        push_image(client, repository, "latest", "first")


def push_image(client, repository, tag, content, platforms=("linux/amd64",)):
    """Pushes an image as `docker buildx` does: a manifest per platform, and an index of them under the tag.

    Another `content` gives another digest. Returns the index's digest.
    """
    entries = []
    for platform in platforms:
        os, architecture = platform.split("/", 1)
        body = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _blob("application/vnd.oci.image.config.v1+json", f"{content} {platform} config"),
            "layers": [_blob("application/vnd.oci.image.layer.v1.tar+gzip", f"{content} {platform} layer")],
        }
        pushed = _put(client, repository, body, MANIFEST, f"{tag}-{os}-{architecture}")
        entries.append({**pushed, "platform": {"os": os, "architecture": architecture}})
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return _put(client, repository, index, INDEX, tag)["digest"]


def _blob(media_type, content):
    content = content.encode()
    return {"mediaType": media_type, "digest": "sha256:" + hashlib.sha256(content).hexdigest(), "size": len(content)}


def _put(client, repository, body, media_type, tag):
    """Puts a manifest. The one of a platform has a tag of its own, because moto wants one for each."""
    text = json.dumps(body, indent=2)
    described = _blob(media_type, text)
    client("ecr").put_image(
        repositoryName=repository,
        imageManifest=text,
        imageManifestMediaType=media_type,
        imageTag=tag,
        imageDigest=described["digest"],
    )
    return described
