"""A backup of the store in a folder, and the way back. What came after the backup is in the log (docs/decisions/0046)."""

from citybrain.backup.put_back import Restored, put_back
from citybrain.backup.save import save

__all__ = ["Restored", "put_back", "save"]
