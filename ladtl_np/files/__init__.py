"""Writing files that hold people's data: whole or not at all, and for their owner only."""

from ladtl_np.files.leftovers import is_temporary, sweep_temporary_files
from ladtl_np.files.private import (
    make_private_folder,
    open_private,
    require_apart,
    require_space,
)
from ladtl_np.files.writing import NewFile, new_file, refused, sync_folder, write_atomically

__all__ = [
    "NewFile",
    "is_temporary",
    "make_private_folder",
    "new_file",
    "open_private",
    "refused",
    "require_apart",
    "require_space",
    "sweep_temporary_files",
    "sync_folder",
    "write_atomically",
]
