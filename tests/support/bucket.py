"""A mounted bucket: `python bucket.py FOLDER MOUNT` shows a folder under the rules that the Hub's mounts write by.

They are those of hf-mount's streaming writes, the strictest that its documentation and source describe: a file is
written once, from its beginning to its end; it is opened again only to be written anew; one that is being written
cannot be removed. Uploads, polling and eviction are not here. It needs Debian's fuse3 and the right to mount.
"""

import errno
import os
import sys
from pathlib import Path

import mfusepy

STATUS = ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size")
TIMES = {"st_atime": "st_atime_ns", "st_mtime": "st_mtime_ns", "st_ctime": "st_ctime_ns"}
SPACE = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_flag", "f_frsize")
LOCKS = 1 << 1 | 1 << 10  # of the FUSE protocol; without them they are the kernel's own


class Bucket(mfusepy.Operations):
    use_ns = True

    def __init__(self, root):
        self.root = root
        self.written = {}  # by file descriptor: the path, and how much of it there is

    def init_with_config(self, conn_info, config_3):
        conn_info.want &= ~LOCKS
        config_3.hard_remove = 1  # else libfuse gives another name to what is removed while it is open

    def getattr(self, path, fh=None):
        status = os.lstat(self.root + path)
        times = {name: getattr(status, source) for name, source in TIMES.items()}
        return {name: getattr(status, name) for name in STATUS} | times

    def statfs(self, path):
        status = os.statvfs(self.root)
        return {name: getattr(status, name) for name in SPACE}

    def readdir(self, path, fh):
        return [".", "..", *(entry.name for entry in Path(self.root + path).iterdir())]

    def open(self, path, flags):
        if flags & os.O_ACCMODE == os.O_RDONLY:
            return os.open(self.root + path, os.O_RDONLY)
        if not flags & os.O_TRUNC:
            raise mfusepy.FuseOSError(errno.EPERM)
        return self._writer(path, os.O_TRUNC)

    def create(self, path, mode, fi=None):
        return self._writer(path, os.O_CREAT | os.O_EXCL, mode)

    def _writer(self, path, flags, mode=0o644):
        descriptor = os.open(self.root + path, os.O_RDWR | flags, mode)
        self.written[descriptor] = path, 0
        return descriptor

    def read(self, path, size, offset, fh):
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        name, size = self.written[fh]
        if offset != size:
            raise mfusepy.FuseOSError(errno.EINVAL)
        self.written[fh] = name, size + len(data)
        return os.pwrite(fh, data, offset)

    def truncate(self, path, length, fh=None):
        return 0

    def release(self, path, fh):
        self.written.pop(fh, None)
        os.close(fh)
        return 0

    def unlink(self, path):
        if any(name == path for name, _ in self.written.values()):
            raise mfusepy.FuseOSError(errno.EPERM)
        Path(self.root + path).unlink()

    def rename(self, old, new, flags=0):
        Path(self.root + old).rename(self.root + new)

    def mkdir(self, path, mode):
        Path(self.root + path).mkdir(mode)

    def rmdir(self, path):
        Path(self.root + path).rmdir()

    def chmod(self, path, mode):
        return 0

    def chown(self, path, uid, gid):
        return 0

    def utimens(self, path, times=None):
        return 0


if __name__ == "__main__":
    mfusepy.FUSE(Bucket(sys.argv[1]), sys.argv[2], foreground=True, nothreads=True)
