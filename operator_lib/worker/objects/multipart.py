"""Parts of uploads that were broken off: storage keeps, and charges for, what nobody will ever finish."""

from __future__ import annotations

import time
from typing import Any


def abort_old(files: Any, path: str, older_than: float) -> int:
    """Give up what was begun below `path` more than so many seconds ago; how many. Only S3 has such a thing."""
    if "s3" not in files.protocol:
        return 0
    bucket, _, prefix = path.partition("/")
    before, given_up, after = time.time() - older_than, 0, {}
    while True:
        page: dict[str, Any] = files.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix, **after)
        for upload in page.get("Uploads") or ():
            if upload["Initiated"].timestamp() < before:
                files.call_s3("abort_multipart_upload", Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
                given_up += 1
        if not page.get("IsTruncated"):
            return given_up
        after = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
