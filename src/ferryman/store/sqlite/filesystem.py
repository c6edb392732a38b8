"""What lies under a path: SQLite's locks do not hold on network file systems."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MOUNTS: Final = Path("/proc/self/mounts")
NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.glusterfs"}
)


def kind_of(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The file system type below `path` (`ext4`, `nfs4` ..), or None where the system does not tell."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    target = path.resolve()
    best, kind = -1, None
    for line in lines:
        fields = line.split()
        if len(fields) < 3:
            continue
        mount = Path(fields[1].replace("\\040", " "))
        # the longest mount point wins; of equals the later one, which lies on top
        if target.is_relative_to(mount) and len(mount.parts) >= best:
            best, kind = len(mount.parts), fields[2]
    return kind


def is_network(kind: str | None) -> bool:
    """Whether a file system type is one on which locks cannot be trusted."""
    return kind in NETWORK
