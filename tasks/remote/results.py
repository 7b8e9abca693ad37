"""Stage results shared with other machines: stored files by their content names, then the record.

A record is uploaded after the files that it names, so a machine that sees it can have them too.
"""

from tasks.cache import records
from tasks.cache.store import Store, StoredFile, damage
from tasks.remote.objects import Objects, is_plain, objects_of


def download_result(store: Store, key: str) -> None:
    """Have the mirror of artifacts on a URL hold the result of a stage key, if there is one.

    What is whole here is not asked for. An object that is not as its digest says is left where it
    is and counts as missing, so that the stage runs again and `upload_result` replaces it.
    """
    objects = objects_of(store.folder)
    if objects is None or records.why_unusable(store, key) is None:
        return
    download_record(store, key)
    try:
        record = records.read(store, key)
    except records.RecordError:
        return  # the caller finds out why
    for file in records.stored_files(record):
        download_stored(store, file.name, file.sha256)


def download_record(store: Store, key: str) -> None:
    """Have the mirror of artifacts on a URL hold the record under a stage key as it is there."""
    if objects := objects_of(store.folder):
        objects.download(f"results/{key}", store.results / key)


def download_stored(store: Store, name: str, sha256: str) -> None:
    """Have the mirror of artifacts on a URL hold a stored file, if it is whole there."""
    objects = objects_of(store.folder)
    if objects and is_plain(name) and damage(store.files / name, sha256):
        objects.download(f"store/{name}", store.files / name, sha256)


def upload_result(store: Store, key: str, *, is_new: bool) -> None:
    """Share the result of a stage key, if the artifacts are on a URL; what is there stays.

    Args:
        store: where the result is.
        key: the stage's key.
        is_new: whether the stage ran. Then objects that are there are checked too, and replaced if
            they are damaged: it may have run because of that.
    """
    objects = objects_of(store.folder)
    if objects is None:
        return
    try:
        files = [*records.stored_files(records.read(store, key))]
    except records.RecordError:
        return  # removed meanwhile, so there is nothing to share
    for file in files:
        if not _is_there(objects, file, check=is_new):
            objects.upload(store.path(file), f"store/{file.name}")
    if is_new or objects.size(f"results/{key}") is None:
        objects.upload(store.results / key, f"results/{key}")


def _is_there(objects: Objects, file: StoredFile, *, check: bool) -> bool:
    name = f"store/{file.name}"
    if objects.size(name) != file.bytes:
        return False
    return not check or objects.sha256(name) == file.sha256
