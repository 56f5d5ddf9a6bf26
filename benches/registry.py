#!/usr/bin/env python3
"""Lays out the storage of a registry (Distribution) with many images that share layers, to measure a sweep.

    benches/registry.py DIR [--images 5000] [--layers 12] [--unique 20000] [--bad 7]

Each layer is a small gzip tar of one Python package; every image stands on one of 100 bases, and its topmost layers are shared with few
others. `--bad N` gives N of the topmost layers litellm 1.82.8. The same arguments give the same bytes.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import tarfile

BASES, BASE, GROUP = 100, 4, 4


def layer(n, bad):
    name, version = ("litellm", "1.82.8") if bad else (f"package{n}", "1.0")
    folder = f"usr/lib/python3/dist-packages/{name}-{version}.dist-info"
    files = {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{folder}/RECORD": f"{name}/__init__.py,,\n",
        f"usr/lib/python3/dist-packages/{name}/__init__.py": f"layer = {n}\n",
        f"srv/data/{n}.txt": f"{n}\n" * 40,
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, text in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mtime = len(text), 1774000000
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    for name, default in [("images", 5000), ("layers", 12), ("unique", 20000), ("bad", 7)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    top = os.path.join(args.dir, "docker/registry/v2")

    def write(name, data):
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)

    def blob(data):
        digest = hashlib.sha256(data).hexdigest()
        write(f"blobs/sha256/{digest[:2]}/{digest}/data", data)
        return digest

    groups = -(-args.images // 10)
    first = BASES * BASE + groups * GROUP
    last = args.unique - first
    if last < 1 or args.layers <= BASE + GROUP:
        parser.error("more unique layers and layers an image, please")
    made = []
    for n in range(args.unique):
        tar = layer(n, args.unique - args.bad <= n)
        data = gzip.compress(tar, 1, mtime=0)
        made.append((blob(data), len(data), hashlib.sha256(tar).hexdigest()))
    own = args.layers - BASE - GROUP
    for image in range(args.images):
        base, group = image % BASES * BASE, BASES * BASE + image // 10 * GROUP
        numbers = [base + n for n in range(BASE)] + [group + n for n in range(GROUP)]
        numbers += [first + (image * own + n) % last for n in range(own)]
        layers = [made[n] for n in numbers]
        config = json.dumps({
            "os": "linux", "architecture": "amd64", "created": "2026-03-20T10:00:00Z",
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff}" for _, _, diff in layers]},
            "history": [{"created": "2026-03-20T10:00:00Z", "created_by": f"RUN make layer {n}"} for n in numbers],
        }).encode()
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{blob(config)}", "size": len(config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": f"sha256:{digest}", "size": size}
                       for digest, size, _ in layers],
        }).encode()
        digest = blob(manifest)
        name, link = f"repositories/team{image % 50}/app{image // 10}/_manifests", f"sha256:{digest}".encode()
        write(f"{name}/revisions/sha256/{digest}/link", link)
        write(f"{name}/tags/{image}/current/link", link)
        write(f"{name}/tags/{image}/index/sha256/{digest}/link", link)


if __name__ == "__main__":
    main()
