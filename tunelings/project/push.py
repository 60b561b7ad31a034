"""Send the exported model to the hub: only when asked, and only as a private repository."""

from __future__ import annotations

from tunelings.project.errors import ProjectError
from tunelings.project.export import MERGED
from tunelings.project.folder import Folder


def check(repo: str) -> None:
    """What can be known before hours of training.

    Raises:
        ProjectError: the name can't be, or nobody is logged in.
    """
    from huggingface_hub import get_token
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise ProjectError(f"--push {repo}: {first_line(error)}") from None
    if get_token() is None:
        raise ProjectError(f"--push {repo}: you aren't logged in to the Hub; `hf auth login` does it.")


def push(folder: Folder, repo: str, *, is_dry: bool) -> list[str]:
    """Upload the merged model with its card; a dry run only lists the files.

    Raises:
        ProjectError: nothing is exported, no network, or the hub refuses.
    """
    if folder.result("export") is None:
        raise ProjectError(f"{folder.name} is not exported yet: `tunelings project run {folder.name}` does it.")
    merged = folder.done("export") / MERGED
    sent = sorted(path.relative_to(merged.parent).as_posix() for path in merged.rglob("*") if path.is_file())
    if is_dry:
        return sent
    from huggingface_hub import HfApi

    try:
        api = HfApi()
        api.create_repo(repo, exist_ok=True, private=True)
        api.upload_folder(repo_id=repo, folder_path=merged)
    except Exception as error:  # Each refusal is another class.
        raise ProjectError(f"{repo} can't be pushed: {first_line(error)}") from None
    return sent


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
