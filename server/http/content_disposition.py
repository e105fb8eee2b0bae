"""Build the header `Content-Disposition` of a download (RFC 6266), whose file name can do no harm on any system."""

import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import quote

MAX_BYTES = 200  # of the name in UTF-8; most file systems allow 255
DEFAULT_NAME = "download"
# Separators of paths, and characters that Windows does not allow.
NOT_PORTABLE = re.compile(r'[/\\:*?"<>|]')
# `%` because some browsers decode it in the plain form as well.
NOT_PLAIN = re.compile(r"[^A-Za-z0-9 !#$&()+,.;=@\[\]^_`{}~-]")
ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"  # those that RFC 8187 allows unencoded, besides letters and digits


def attachment(name: str) -> str:
    """Return the header's value, with the name in ASCII for old clients and in UTF-8 for all others."""
    safe_name = make_safe(name)
    plain_name = NOT_PLAIN.sub("_", unicodedata.normalize("NFKD", safe_name))
    return f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(safe_name, safe=ATTRIBUTE_CHARACTERS)}"


def make_safe(name: str) -> str:
    """Return a name that stays in the folder where it is saved, and that looks as it is.

    Characters of the Unicode categories C and Z, other than the space, are removed: controls, line breaks, marks that reverse the
    direction of a text (so that `gpj.exe` would look like `exe.jpg`), and half of a surrogate pair.
    """
    visible = "".join(each for each in name if each == " " or unicodedata.category(each)[0] not in "CZ")
    return _shorten(NOT_PORTABLE.sub("_", visible).strip(". ")) or DEFAULT_NAME


def _shorten(name: str) -> str:
    """Shorten the part before the suffix, so that the type of the file stays known."""
    if len(name.encode()) <= MAX_BYTES:
        return name
    suffix = PurePosixPath(name).suffix[:20]
    stem = name.removesuffix(suffix).encode()[: MAX_BYTES - len(suffix.encode())]
    return stem.decode(errors="ignore").strip(". ") + suffix
